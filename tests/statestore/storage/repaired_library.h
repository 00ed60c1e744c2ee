// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_STORAGE_REPAIRED_LIBRARY_H_
#define STATELIB_TESTS_STATESTORE_STORAGE_REPAIRED_LIBRARY_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "statestore/storage/repair.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {

inline constexpr int64_t kYearsLater = int64_t{1} << 42;

/// A library that loses its index.
class Repair : public testing::Test {
 protected:
  Repository Open(FileSystem& files = FileSystem::Real()) {
    return Repository::Open(library_, Repository::Access::kCreate, files);
  }

  /// A library with all that a name can have gone through.
  void Fill() {
    Repository repository = Open();
    Index& index = repository.index();
    IndexReferences& references = index.references();
    PublishSample(repository, "a", 5, 21, 1001);
    PublishSample(repository, "a", 6, 22, 1002);
    PublishSample(repository, "a", 7, 23, 1003);
    references.Return("a", "latest", 2, true, 1004);
    references.Return("a", "latest", 1, false, 1005);
    PublishSample(repository, "moved:v1", 5, 3, 1006);
    references.Rename("moved", "v1", "there", "now", 1007);
    PublishSample(repository, "moved:v1", 5, 4, 1008);
    PublishSample(repository, "gone", 5, 5, 1009);
    references.Remove("gone", "latest", 1010);
    PublishSample(repository, "gone", 5, 6, 1011);
    // What goes on from a name that is removed keeps its lineage.
    const PublishedState parent = PublishSample(repository, "parent", 5, 7, 1012);
    Derivation derivation;
    derivation.operation = Operation::kCopy;
    derivation.parent = parent.derivation;
    derivation.parent_state = parent.state.id;
    index.Write(
        [&] { NameState(index, parent.state, derivation, Reference::Parse("child"), 1013); });
    references.Remove("parent", "latest", 1014);
    // A checkpoint, and a delta whose base has no name.
    SampleNewState shorter(4, 8);
    PublishCheckpoint(repository, shorter.state, 1015);
    SampleNewState longer(9, 8);
    longer.state.prefix = StateIdOf(repository, 4, 8);
    Publish(repository, longer.state, {}, Reference::Parse("long"), 1016);
    SampleNewState base(SampleStateNear(5), 1);
    PublishCheckpoint(repository, base.state, 1017);
    PublishNear(repository, "delta", 6, Codec::kDelta,
                repository.index().checkpoints().List({}).front().state.id);
    ModelRow model = index.models().All().front();
    model.path = "/models/\xff";  // paths are bytes
    model.description_json = "{\"a\":\"b\"}";
    model.card = {"\nQuestion: {question}\nAnswer:", "\n", {}};
    model.prompt = {{}, "", "Unknown."};
    index.models().Put(model);
    index.models().SetDefault(model.identity.fingerprint);
    index.checkpoints().SetBudget(123456);
    SampleNewState with_template(5, 9);
    Derivation read;
    read.sources = {{"x.txt", 12, HashOf(AsBytes("x")), 5, 7, "/a\nb/x.txt"}};
    read.text_template = {"\n\n", "# {path}\n"};
    Publish(repository, with_template.state, read, Reference::Parse("read"), 1018);
    // What travels under another id, names that were removed, and one of which nothing is here.
    const StateId state = repository.Resolve("a@2").state.id;
    PublishSample(repository, "left", 5, 10, 1019);
    index.Write([&] {
      references.NoteHad("a", "latest", {HashOf(AsBytes("a elsewhere")), state});
      references.NoteHad("left", "latest", {HashOf(AsBytes("left elsewhere")), state});
      references.NoteHad("elsewhere", "latest", {state, state});
    });
    references.Remove("left", "latest", 1020);
    references.Rename("a", "latest", "b", "latest", 1021);
    references.Rename("b", "latest", "a", "latest", 1022);
  }

  static StateId StateIdOf(Repository& repository, uint64_t tokens, unsigned seed) {
    const SampleNewState sample(tokens, seed);
    for (const CheckpointRow& row : repository.index().checkpoints().List({}))
      if (row.state.history == sample.record.description.history) return row.state.id;
    ADD_FAILURE() << "no such checkpoint";
    return {};
  }

  void Collect() {
    Repository repository = Open();
    CollectGarbage(repository, {.now_ms = kYearsLater});
  }
  void LoseIndex() {
    for (const char* end : {"", "-wal", "-shm"})
      std::filesystem::remove(library_ / (std::string("index.db") + end));
  }
  RepairReport Run(FileSystem& files = FileSystem::Real()) {
    return RepairIndex(library_, files, {.now_ms = 5000});
  }
  std::vector<std::string> Names() {
    const Repository repository = Repository::Open(library_, Repository::Access::kWrite);
    ExpectClean(repository);
    std::vector<std::string> names;
    for (const ReferenceRow& row : repository.index().references().List({}))
      names.push_back(fmt::format("{}:{}@{}", row.name, row.tag, row.version));
    return names;
  }

  TemporaryDirectory folder_;
  std::filesystem::path library_ = folder_.path() / "library";
};

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_STORAGE_REPAIRED_LIBRARY_H_
