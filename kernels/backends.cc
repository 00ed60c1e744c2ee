// SPDX-License-Identifier: Apache-2.0
#include "kernels/backends.h"

namespace statelib::kernels {

namespace {

constexpr BackendEntry kBackends[] = {
    {"cpu", "every core's vector instructions",
     [](const BackendOptions& options) {
       return MakeCpuBackend(options.threads, options.instruction_set);
     }},
    {"reference", "slow and plain", [](const BackendOptions&) { return MakeReferenceBackend(); }},
    {"cuda", "the first NVIDIA GPU, in f32",
     [](const BackendOptions&) { return MakeCudaBackend(); }},
};

}  // namespace

std::span<const BackendEntry> Backends() { return kBackends; }

}  // namespace statelib::kernels
