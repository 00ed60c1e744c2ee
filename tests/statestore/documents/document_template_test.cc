// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/document_template.h"

#include <gtest/gtest.h>

#include "tests/statestore/expect_error.h"

namespace statelib::documents {
namespace {

TEST(DocumentTemplate, TheSeparatorStandsBetweenAndTheHeadingBeforeEach) {
  const DocumentTemplate how{"\n---\n", "# {path} ({name}, {stem}) {{x}\n"};
  EXPECT_EQ(Before(how, "docs/a.md", true), "# docs/a.md (a.md, a) {x}\n");
  EXPECT_EQ(Before(how, "b", false), "\n---\n# b (b, b) {x}\n");
  EXPECT_EQ(Before({}, "b", false), "");
}

TEST(DocumentTemplate, WhatItDoesNotKnowIsRefused) {
  ExpectError(ErrorKind::kInvalidArgument, "{size}", [&] { Before({"", "{size}"}, "a", true); });
  ExpectError(ErrorKind::kInvalidArgument, "fields", [&] { Before({"", "{path"}, "a", true); });
  EXPECT_EQ(Unescaped(R"(a\n\t\\n)"), "a\n\t\\n");
  EXPECT_EQ(Typed("a\n\t\\n"), R"(a\n\t\\n)");
  ExpectError(ErrorKind::kInvalidArgument, "backslash", [&] { Unescaped("a\\"); });
  ExpectError(ErrorKind::kInvalidArgument, "backslash", [&] { Unescaped("\\x"); });
}

}  // namespace
}  // namespace statelib::documents
