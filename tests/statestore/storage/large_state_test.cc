// SPDX-License-Identifier: Apache-2.0
// What becomes of a state that is larger than what may be held in memory of it.
#include "tests/statestore/large_state.h"

#include <gtest/gtest.h>

#include <fstream>

#include "statestore/storage/bundle.h"
#include "statestore/storage/state_survey.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

class LargeStates : public testing::Test {
 protected:
  LargeStates() {
    base_ = PublishLarge(from_, "base");
    delta_ = PublishLarge(from_, "delta", base_);
  }
  void Export(const ExportOptions& options = {}) {
    const std::vector<ResolvedState> states = {from_.Resolve("base", 0), from_.Resolve("delta", 0)};
    ExportBundle(from_, states, from_.files(), file_, options);
  }
  void Import(const std::string& into, BundleFile bundle) {
    Repository repository = Repository::Open(folder_.path() / into, Repository::Access::kCreate);
    EXPECT_EQ(ImportBundle(repository, bundle, "bundle", {}, 9000).references.size(), 2u);
  }

  TemporaryDirectory folder_;
  std::filesystem::path file_ = folder_.path() / "states.statelib";
  Repository from_ = Repository::Open(folder_.path() / "from", Repository::Access::kCreate);
  StateId base_;
  StateId delta_;
};

TEST_F(LargeStates, TravelInABundleInLittleMemory) {
  ASSERT_EQ(from_.index().states().Get(delta_).base, base_);
  ExpectLittleMemory("exporting without tokens",
                     [&] { Export({.manifest = {.tokens = false}, .control = {}}); });
  ExpectLittleMemory("exporting", [&] { Export(); });
  ExpectLittleMemory("from a file", [&] { Import("file", BundleFile::Open(file_)); });
  ExpectLittleMemory("from a stream", [&] {
    BundleSpool spool("standard input");
    std::ifstream stream(file_, std::ios::binary);
    std::string piece(1 << 16, '\0');
    while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())),
           stream.gcount() > 0)
      spool.Append(AsBytes(piece.substr(0, static_cast<size_t>(stream.gcount()))));
    Import("stream", std::move(spool).Finish());
  });
}

TEST_F(LargeStates, AreVerifiedInLittleMemory) {
  ExpectLittleMemory("verify", [&] { ExpectClean(from_); });
  ExpectLittleMemory("repair", [&] { EXPECT_EQ(SurveyStates(from_.objects()).states.size(), 2u); });
}

}  // namespace
}  // namespace statelib::storage
