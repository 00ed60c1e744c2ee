// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_BACKENDS_UNDER_TEST_H_
#define STATELIB_TESTS_KERNELS_BACKENDS_UNDER_TEST_H_

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/backends.h"

namespace statelib::kernels {

/// One backend that this machine can run, by a recipe, so that each test case makes its own.
struct BackendRecipe {
  std::string target;  ///< empty: the reference
  int threads = 1;

  std::unique_ptr<Backend> Make() const {
    return target.empty() ? MakeReferenceBackend() : MakeCpuBackend(threads, target);
  }
  std::string Label() const {
    return target.empty() ? "reference" : target + "_" + std::to_string(threads) + "t";
  }
};

inline std::ostream& operator<<(std::ostream& out, const BackendRecipe& recipe) {
  return out << recipe.Label();
}

/// The reference, and every instruction set of this machine on one, two and three threads.
inline std::vector<BackendRecipe> BackendsUnderTest() {
  std::vector<BackendRecipe> recipes = {{}};
  for (const std::string& target : CpuTargets()) {
    for (const int threads : {1, 2, 3}) recipes.push_back({target, threads});
  }
  return recipes;
}

}  // namespace statelib::kernels

#endif  // STATELIB_TESTS_KERNELS_BACKENDS_UNDER_TEST_H_
