// SPDX-License-Identifier: Apache-2.0
// The reference, and every instruction set of this machine on one, two and three threads.
#include "tests/kernels/backends_under_test.h"

namespace statelib::kernels {

std::vector<BackendRecipe> BackendsUnderTest() {
  std::vector<BackendRecipe> recipes = {{"reference", MakeReferenceBackend}};
  for (const std::string& target : CpuTargets()) {
    for (const int threads : {1, 2, 3}) {
      recipes.push_back({target + "_" + std::to_string(threads) + "t",
                         [=] { return MakeCpuBackend(threads, target); }});
    }
  }
  return recipes;
}

}  // namespace statelib::kernels
