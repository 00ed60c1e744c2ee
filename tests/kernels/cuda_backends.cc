// SPDX-License-Identifier: Apache-2.0
// The GPU.
#include "tests/kernels/backends_under_test.h"

namespace statelib::kernels {

std::vector<BackendRecipe> BackendsUnderTest() { return {{"cuda", MakeCudaBackend}}; }

}  // namespace statelib::kernels
