// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/repair.h"

#include <gmock/gmock.h>

#include "statestore/library/organise.h"
#include "statestore/library/search.h"
#include "statestore/storage/repair.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

/// What a search finds, as text.
std::vector<std::string> Found(const Library& library, const std::string& query) {
  std::vector<std::string> found;
  SearchOptions options;
  options.states.all_versions = true;
  for (const SearchResult& result : Search(library, query, options)) {
    std::string line = fmt::format("{} at {}", result.snippet, result.byte);
    for (const storage::TextHolder& holder : result.holders)
      line += fmt::format(", {}:{}@{} {} from {}", holder.name, holder.tag, holder.version,
                          holder.source, holder.first_token);
    found.push_back(line);
  }
  return found;
}

class RestoringTexts : public DemoLibrary {
 protected:
  std::vector<std::vector<std::string>> All() {
    std::vector<std::vector<std::string>> all;
    for (const char* query : {"roof", "gate", "umbrella", "weathercock", "password", "naïve"})
      all.push_back(Found(library_, query));
    return all;
  }

  RestoredTexts LoseAndRepair() {
    const std::filesystem::path path = library_.path();
    library_ = OpenLibrary("another");  // so that nobody has it open
    std::filesystem::remove(path / "index.db");
    storage::RepairIndex(path, FileSystem::Real(), {.now_ms = 1});
    library_ = OpenLibrary("library");
    TextsOptions options;
    options.before = [](const storage::SourceTemplate& how, const std::string&, bool is_first) {
      return (is_first ? "" : how.separator) + how.heading;
    };
    return RestoreTexts(library_, options);
  }
};

TEST_F(RestoringTexts, FindsWhatItFoundBeforeWhereItWas) {
  IngestText("one", "The roof leaks. A naïve gate.");
  AppendText("one", " The weathercock turns.");
  // A long one, in many passages.
  std::string text;
  for (int i = 0; i < 200; ++i) text += fmt::format("Line {} speaks of the roof.\n\n", i);
  IngestText("long", text + "An umbrella.");
  const std::vector<Document> two = {
      {.name = "a.txt", .text = Text("The gate is open."), .before = "# A\n"},
      {.name = "b.txt", .text = Text("The roof again."), .before = "\n---\n# A\n"}};
  IngestOptions options;
  options.text_template = {"\n---\n", "# A\n"};
  Ingest(library_, model_, two, storage::Reference::Parse("two"), options);
  IngestOptions forgotten;
  forgotten.keep_tokens = false;
  IngestText("forgotten", "A password of the gate.", forgotten);
  // Its text stays with the state that goes on from it.
  IngestText("parent", "An umbrella at the gate.");
  Append(library_, model_, library_.Resolve("parent"), two, storage::Reference::Parse("child"),
         options);
  Remove(library_, {storage::Reference::Parse("parent")}, false);

  const auto before = All();
  EXPECT_TRUE(before[4].empty());
  const RestoredTexts restored = LoseAndRepair();
  EXPECT_EQ(restored.missing, 0u);
  EXPECT_EQ(restored.restored, 8u);
  EXPECT_EQ(All(), before);
  EXPECT_EQ(RestoreTexts(library_, {}).restored, 0u);
}

TEST_F(RestoringTexts, SaysWhichModelIsMissing) {
  IngestText("one", "The roof leaks.");
  storage::ModelRow row = library_.repository().index().models().All().front();
  row.path = (folder_.path() / "gone").string();
  library_.repository().index().models().Put(row);
  const RestoredTexts restored = LoseAndRepair();
  EXPECT_EQ(restored.restored, 0u);
  EXPECT_EQ(restored.missing, 1u);
  EXPECT_THAT(restored.reasons, testing::ElementsAre(testing::HasSubstr("statelib model add")));
}

TEST_F(RestoringTexts, ASoundLibraryHasNothingToRestore) {
  IngestText("one", "The roof leaks.");
  IngestText("one", "The roof leaks, and more.");
  EXPECT_EQ(RestoreTexts(library_, {}).restored, 0u);
}

}  // namespace
}  // namespace statelib::library
