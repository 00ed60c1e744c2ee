// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_SYNTHETIC_HYBRID_H_
#define STATELIB_TESTS_SYNTHETIC_HYBRID_H_

#include <filesystem>

#include "core/model/architectures.h"

namespace statelib {

/// The positions that a row of the hybrid's windowed attention sees.
inline constexpr uint64_t kHybridWindow = 40;

/// Writes a tiny model with random weights of an architecture that no published model has, with all
/// that hybrids may have: Mamba-1 behind a layer norm, Mamba-2 with its norm before the gate,
/// parallel parts with scales, attention over all positions and over a window, weights that two
/// layers share, the embedding and another part's rows in a later layer, feed-forward networks and
/// experts, a norm after and a scaled residual. seed: of the weights.
void WriteSyntheticHybrid(const std::filesystem::path& folder, uint32_t seed = 1);

/// The table that has it besides the published ones.
model::ArchitectureTable ArchitecturesWithHybrid();

}  // namespace statelib

#endif  // STATELIB_TESTS_SYNTHETIC_HYBRID_H_
