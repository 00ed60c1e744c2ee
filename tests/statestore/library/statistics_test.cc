// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/statistics.h"

#include <gtest/gtest.h>

#include "statestore/library/organise.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

class Counting : public testing::Test {
 protected:
  /// The sizes of the objects' files.
  uint64_t ObjectBytes() {
    uint64_t sum = 0;
    library_.repository().objects().ForEach(
        [&](const storage::ObjectId&, uint64_t bytes) { sum += bytes; });
    return sum;
  }

  TemporaryDirectory folder_;
  Library library_ = Library::Open(folder_.path() / "library", Library::Access::kCreate);
};

TEST_F(Counting, AnEmptyLibraryHoldsNothing) {
  const LibraryStatistics sum = Statistics(library_);
  EXPECT_EQ(sum.names + sum.versions + sum.states + sum.tokens_objects, 0u);
  EXPECT_EQ(sum.raw_bytes + sum.state_bytes + sum.token_bytes + sum.shared_bytes, 0u);
  EXPECT_GT(sum.index_bytes, 0u);
}

TEST_F(Counting, WhatIsStoredIsWhatTheFilesTake) {
  storage::PublishSample(library_.repository(), "a", 5, 1);
  storage::PublishSample(library_.repository(), "a", 6, 2);
  storage::PublishSample(library_.repository(), "b:draft", 7, 3);
  const LibraryStatistics sum = Statistics(library_);
  EXPECT_EQ(sum.names, 2u);
  EXPECT_EQ(sum.versions, 3u);
  EXPECT_EQ(sum.states, 3u);
  EXPECT_EQ(sum.models, 1u);
  EXPECT_EQ(sum.raw_bytes, 3 * library_.Resolve("a").state.raw_bytes);
  EXPECT_EQ(sum.state_bytes + sum.token_bytes, ObjectBytes());
  EXPECT_EQ(sum.unneeded_bytes, 0u);
}

TEST_F(Counting, SharedIsWhatCopiesWouldTake) {
  storage::PublishSample(library_.repository(), "a");
  const LibraryStatistics alone = Statistics(library_);
  EXPECT_EQ(alone.shared_bytes, 0u);
  Copy(library_, "a", storage::Reference::Parse("b"));
  Copy(library_, "a", storage::Reference::Parse("c"));
  const LibraryStatistics sum = Statistics(library_);
  EXPECT_EQ(sum.states, 1u);
  EXPECT_EQ(sum.shared_bytes, 2 * sum.state_bytes);
  EXPECT_EQ(sum.state_bytes, alone.state_bytes);
}

TEST_F(Counting, WhatNoStateNeedsIsGcs) {
  storage::PublishSample(library_.repository(), "a");
  const storage::EncodedObject stray = storage::Encode(storage::SampleState(9, 9));
  library_.repository().objects().Put(stray);
  const LibraryStatistics sum = Statistics(library_);
  EXPECT_EQ(sum.unneeded_objects, 1u);
  EXPECT_EQ(sum.unneeded_bytes, stray.bytes.size());
  EXPECT_EQ(sum.state_bytes + sum.token_bytes + sum.unneeded_bytes, ObjectBytes());
}

}  // namespace
}  // namespace statelib::library
