// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/uploads.h"

#include <gtest/gtest.h>

#include "tests/statestore/faulty_file_system.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using storage::Repository;

TEST(Uploads, WhicheverWriteFailsTheNextTryEndsIt) {
  const std::string bytes = "the bytes of an object";
  const storage::ObjectId id = HashOf(AsBytes(bytes));
  bool finished = false;
  int n = 1;
  for (; !finished; ++n) {
    SCOPED_TRACE(n);
    TemporaryDirectory folder;
    Repository::Open(folder.path(), Repository::Access::kCreate);
    FaultyFileSystem files(n);
    Repository library = Repository::Open(folder.path(), Repository::Access::kWrite, files);
    for (int attempt = 0;; ++attempt) {
      ASSERT_LT(attempt, 3);
      const uint64_t offset = FindUpload(library, id).offset;
      const auto read = [&](const std::function<void(ByteSpan)>& take) {
        for (size_t i = offset; i < bytes.size(); ++i)
          take(AsBytes(std::string_view(bytes).substr(i, 1)));
        return true;
      };
      try {
        if (AppendUpload(library, id, offset, bytes.size(), read).complete) break;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kIo) << error.what();
      }
    }
    finished = !files.failed();
    EXPECT_EQ(AsText(library.objects().Get(id)), bytes);
    EXPECT_TRUE(library.objects().Temporaries().empty());
  }
  EXPECT_GT(n, 20);  // each byte came in a piece of its own
}

}  // namespace
}  // namespace statelib::cli
