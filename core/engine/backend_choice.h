// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_BACKEND_CHOICE_H_
#define STATELIB_CORE_ENGINE_BACKEND_CHOICE_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kernels/backends.h"

namespace statelib::engine {

/// Which backend computes, and on what.
struct BackendChoice {
  std::string name;  ///< of a row of `backends`; empty: the first
  kernels::BackendOptions options = {};
  std::span<const kernels::BackendEntry> backends = kernels::Backends();
};

/// Errors: kInvalidArgument for a name that no row has and for an unknown instruction set;
/// kernels::DeviceError.
std::unique_ptr<kernels::Backend> MakeBackend(const BackendChoice& choice);

/// How matrices are held, as people choose it: "auto" (as the model's files have them), "f32",
/// "bf16", "int8", "int4".
std::span<const char* const> WeightChoices();
/// Errors: kInvalidArgument for an unknown choice.
kernels::WeightFormat FormatOf(std::string_view weights);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_BACKEND_CHOICE_H_
