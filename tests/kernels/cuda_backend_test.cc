// SPDX-License-Identifier: Apache-2.0
// What the CUDA backend says where it cannot work: in a build without it, and on a machine without
// a GPU. What it computes is tested in backend_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "kernels/backends.h"

namespace statelib::kernels {
namespace {

TEST(CudaBackend, WithoutADeviceItIsRefusedWithWhatIsMissingAndWhatToTake) {
  if (!CudaDevices().empty()) GTEST_SKIP() << "this machine has " << CudaDevices().front();
  try {
    MakeCudaBackend();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("[cuda] "));
    EXPECT_THAT(error.what(), testing::HasSubstr("take the cpu backend"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
  }
}

}  // namespace
}  // namespace statelib::kernels
