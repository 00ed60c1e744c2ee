// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_MODEL_FILES_EXPECT_ERROR_H_
#define STATELIB_TESTS_CORE_MODEL_FILES_EXPECT_ERROR_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "core/base/error.h"

namespace statelib::model_files {

/// Expects that `act` throws an Error of this kind whose message is one line and holds every part.
template <typename Act>
void ExpectError(ErrorKind kind, std::initializer_list<std::string> parts, Act act) {
  try {
    act();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_STREQ(NameOf(error.kind()), NameOf(kind)) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    for (const std::string& part : parts) EXPECT_THAT(message, testing::HasSubstr(part));
    return;
  }
  ADD_FAILURE() << "nothing was refused";
}

}  // namespace statelib::model_files

#endif  // STATELIB_TESTS_CORE_MODEL_FILES_EXPECT_ERROR_H_
