// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_LIBRARY_EXCHANGE_FIXTURE_H_
#define STATELIB_TESTS_STATESTORE_LIBRARY_EXCHANGE_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "statestore/library/keys.h"
#include "statestore/library/transfer.h"
#include "statestore/remote/folder_remote.h"
#include "tests/temporary_directory.h"

namespace statelib::library {

/// Libraries that exchange states through a folder, signed by a key of their own.
class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() {
    std::filesystem::create_directories(share_);
    keys_.Create("me");
  }
  Library Open(const std::string& name) {
    return Library::Open(folder_.path() / name, Library::Access::kCreate);
  }
  std::unique_ptr<remote::Remote> Remote() { return remote::OpenFolderRemote(share_); }
  PushReport PushFrom(Library& library, const Selection& selection, PushOptions options = {}) {
    const std::optional<SigningKey> key = keys_.Signing("me");
    options.key = &*key;
    return Push(library, *Remote(), selection, options);
  }
  PullReport PullInto(Library& library, const Selection& selection = {}, PullOptions options = {}) {
    options.remote_name = "share";
    return Pull(library, *Remote(), keys_, selection, options);
  }

  TemporaryDirectory folder_;
  std::filesystem::path share_ = folder_.path() / "share";
  KeyRing keys_{folder_.path() / "config"};
};

}  // namespace statelib::library

#endif  // STATELIB_TESTS_STATESTORE_LIBRARY_EXCHANGE_FIXTURE_H_
