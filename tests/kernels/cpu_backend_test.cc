// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <stdexcept>

#include "kernels/backends.h"

namespace statelib::kernels {
namespace {

TEST(CpuBackend, AnUnknownInstructionSetIsRefusedWithTheOnesThereAre) {
  try {
    MakeCpuBackend(1, "mmx");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("got \"mmx\""), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace statelib::kernels
