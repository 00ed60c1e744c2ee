// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_EXPECT_ERROR_H_
#define STATELIB_TESTS_STATESTORE_EXPECT_ERROR_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"

namespace statelib {

/// Expects an Error of one kind whose message is one line that contains `part`.
template <typename Body>
void ExpectError(ErrorKind kind, const std::string& part, Body body) {
  try {
    body();
    ADD_FAILURE() << "expected an error that says: " << part;
  } catch (const Error& error) {
    EXPECT_STREQ(NameOf(error.kind()), NameOf(kind)) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(part));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
  }
}

}  // namespace statelib

#endif  // STATELIB_TESTS_STATESTORE_EXPECT_ERROR_H_
