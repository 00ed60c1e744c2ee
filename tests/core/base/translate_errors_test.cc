// SPDX-License-Identifier: Apache-2.0
#include "core/base/translate_errors.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>

#include "core/base/error.h"
#include "kernels/device_error.h"

namespace statelib {
namespace {

using kernels::DeviceError;

std::pair<ErrorKind, std::string> Translated(const std::function<void()>& work) {
  try {
    try {
      work();
    } catch (const std::exception&) {
      RethrowTranslated();
    }
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::kCancelled, "no Error"};
}

TEST(TranslateErrors, ADeviceThatIsMissingIsUnsupportedAndOneThatFailedIsIo) {
  EXPECT_THAT(
      Translated([] { throw DeviceError(DeviceError::Kind::kUnsupported, "[cuda] no driver"); }),
      testing::Pair(ErrorKind::kUnsupported, "[cuda] no driver"));
  EXPECT_THAT(Translated([] { throw DeviceError(DeviceError::Kind::kFailed, "[cuda] lost"); }),
              testing::Pair(ErrorKind::kIo, "[cuda] lost"));
}

TEST(TranslateErrors, WhatTheFileSystemSaysOfAPathNamesIt) {
  const auto [kind, message] = Translated([] { std::filesystem::file_size("/nowhere/at/all"); });
  EXPECT_EQ(kind, ErrorKind::kNotFound);
  EXPECT_THAT(message, testing::HasSubstr("/nowhere/at/all"));
}

TEST(TranslateErrors, AnErrorStaysWhatItIsAndSoDoesABug) {
  EXPECT_EQ(Translated([] { throw Error(ErrorKind::kBusy, "held"); }).first, ErrorKind::kBusy);
  EXPECT_THROW(Translated([] { throw std::logic_error("a bug"); }), std::logic_error);
}

}  // namespace
}  // namespace statelib
