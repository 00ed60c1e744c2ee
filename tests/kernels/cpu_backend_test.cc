// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
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

TEST(CpuBackend, TheEnvironmentForcesAnInstructionSet) {
  for (const std::string& target : CpuTargets()) {
    ::setenv("STATELIB_CPU_TARGET", target.c_str(), 1);
    EXPECT_EQ(MakeCpuBackend(1)->name(), "cpu " + target + ", 1 threads");
  }
  ::setenv("STATELIB_CPU_TARGET", "mmx", 1);
  EXPECT_THROW(MakeCpuBackend(1), std::invalid_argument);
  ::unsetenv("STATELIB_CPU_TARGET");
}

}  // namespace
}  // namespace statelib::kernels
