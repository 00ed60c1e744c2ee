// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_FUZZ_SERVER_SEEDS_H_
#define STATELIB_TESTS_FUZZ_SERVER_SEEDS_H_

#include <filesystem>

namespace statelib {

/// The seeds of fuzz_request and fuzz_publication.
void WriteServerSeeds(const std::filesystem::path& corpus);

}  // namespace statelib

#endif  // STATELIB_TESTS_FUZZ_SERVER_SEEDS_H_
