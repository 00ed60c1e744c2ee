// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_BACKENDS_UNDER_TEST_H_
#define STATELIB_TESTS_KERNELS_BACKENDS_UNDER_TEST_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/backends.h"

namespace statelib::kernels {

/// A backend by a recipe, so that each test case makes its own, and so that listing the cases needs
/// no device.
struct BackendRecipe {
  std::string label;  ///< letters, digits and '_'
  std::function<std::unique_ptr<Backend>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const BackendRecipe& recipe) {
  return out << recipe.label;
}

/// The backends that this test program is for: host_backends.cc has those of the processor,
/// cuda_backends.cc the GPU's.
std::vector<BackendRecipe> BackendsUnderTest();

/// Each test makes its own backend.
class BackendTest : public testing::TestWithParam<BackendRecipe> {
 protected:
  std::unique_ptr<Backend> backend_ = GetParam().make();
  std::unique_ptr<Backend> reference_ = MakeReferenceBackend();
};

}  // namespace statelib::kernels

#endif  // STATELIB_TESTS_KERNELS_BACKENDS_UNDER_TEST_H_
