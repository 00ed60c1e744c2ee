// SPDX-License-Identifier: Apache-2.0
// Models whose files change behind the library's back, hold no numbers, or were never fetched.
#include <gmock/gmock.h>

#include <filesystem>
#include <limits>

#include "statestore/storage/sqlite_database.h"
#include "tests/cli/library_fixture.h"
#include "tests/loose_tensors.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kPointer =
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n";

class OddModels : public LibraryTest {
 protected:
  /// A copy of the demo model.
  fs::path CopyOfDemo() {
    const fs::path folder = Path("m");
    fs::create_directories(folder);
    for (const auto& entry :
         fs::directory_iterator(fs::path(STATELIB_SOURCE_DIR) / "examples/models/demo")) {
      const fs::path copy = folder / entry.path().filename();
      fs::copy_file(entry.path(), copy);
      fs::permissions(copy, fs::perms::owner_write, fs::perm_options::add);
    }
    return folder;
  }

  std::string Document() { return Write("roof.md", "The budget for the roof is 5200 dollars.\n"); }
};

/// Changes one byte in the middle of a file, whose size, inode and time of writing stay.
void FlipUnnoticed(const fs::path& file) {
  const auto time = fs::last_write_time(file);
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(static_cast<std::streamoff>(fs::file_size(file) / 2));
  const auto byte = static_cast<char>(stream.peek() ^ 0x10);
  stream.seekp(stream.tellg());
  stream.put(byte);
  stream.close();
  fs::last_write_time(file, time);
}

TEST_F(OddModels, AChangeThatKeepsSizeAndTimeIsNoticedAndTheModelIsBlamed) {
  const fs::path model = CopyOfDemo();
  Facts({"ingest", "roof", Document(), "--model", model.string()});
  FlipUnnoticed(model / "model.safetensors");
  EXPECT_THAT(
      ExpectFailure({"generate", "roof", "Q", "--max-tokens", "1"}, 5),
      AllOf(HasSubstr("the model has changed, not the state roof@1"), HasSubstr(model.string())));
  FlipUnnoticed(model / "model.safetensors");
  Facts({"generate", "roof", "Q", "--max-tokens", "1"});
}

TEST_F(OddModels, AProofReadsTheModelAnewWhateverIsRemembered) {
  const fs::path model = CopyOfDemo();
  Facts({"ingest", "roof", Document(), "--model", model.string()});
  const std::string fingerprint = Facts({"model", "list"})["models"][0]["fingerprint"];
  FlipUnnoticed(model / "model.safetensors");
  // Damage that no time tells: the library takes the changed files for the ones that it knows.
  ExpectFailure({"generate", "roof", "Q", "--max-tokens", "1"}, 5);
  {
    auto database =
        storage::Database::Open(Library() + "/index.db", storage::Database::Mode::kWrite);
    database.Execute(("UPDATE fingerprint_cache SET fingerprint = x'" + fingerprint + "'").c_str());
  }
  Facts({"generate", "roof", "Q", "--max-tokens", "1"});
  EXPECT_THAT(ExpectFailure({"verify", "--rederive", "roof"}, 5),
              HasSubstr("the model has changed, not the state roof@1"));
  FlipUnnoticed(model / "model.safetensors");
  EXPECT_EQ(Facts({"verify", "--rederive", "roof"})["equal_bytes"], true);
}

TEST_F(OddModels, AStateThatHoldsNoNumbersIsNotStored) {
  const fs::path model = CopyOfDemo();
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    LooseTensors tensors = ReadLoose(model / "model.safetensors");
    Named(tensors, "backbone.norm_f.weight").Map([value](float) { return value; });
    WriteLoose(model / "model.safetensors", tensors);
    EXPECT_THAT(ExpectFailure({"ingest", "roof", Document(), "--model", model.string()}, 4),
                AllOf(HasSubstr("NaN or infinity in hidden"), HasSubstr("nothing was stored")));
    EXPECT_TRUE(Names().empty());
  }
  ExpectSound();
}

TEST_F(OddModels, WhatGitLfsHasNotFetchedIsSaid) {
  const std::string config =
      Read(std::string(STATELIB_SOURCE_DIR) + "/examples/models/demo/config.json");
  for (const char* name : {"model.safetensors", "pytorch_model.bin", "model.safetensors.index.json",
                           "pytorch_model.bin.index.json"}) {
    const std::string folder = std::string("lfs-") + name;
    Write(folder + "/config.json", config);
    const std::string file = Write(folder + "/" + name, kPointer);
    EXPECT_THAT(ExpectFailure({"model", "check", Path(folder)}, 3),
                AllOf(HasSubstr(file), HasSubstr("a git-lfs pointer to one of 12345 bytes"),
                      HasSubstr("git lfs pull")));
  }
  const std::string gguf = Write("model.gguf", kPointer);
  EXPECT_THAT(ExpectFailure({"ingest", "roof", Document(), "--model", gguf}, 3),
              HasSubstr("git lfs pull"));
  Write("all/config.json", kPointer);
  EXPECT_THAT(ExpectFailure({"model", "add", Path("all")}, 3), HasSubstr("git lfs pull"));
}

TEST_F(OddModels, WhatContradictsItselfIsShownWithTheModel) {
  const fs::path model = CopyOfDemo();
  LooseTensors tensors = ReadLoose(model / "model.safetensors");
  LooseTensor head = Named(tensors, "backbone.embeddings.weight");
  head.name = "lm_head.weight";
  head.bytes[0] ^= std::byte{1};
  tensors.push_back(head);
  WriteLoose(model / "model.safetensors", tensors);
  Facts({"model", "add", model.string(), "--name", "odd"});
  EXPECT_THAT(Facts({"model", "show", "odd"})["description"]["notes"].dump(),
              HasSubstr("the stored head is used"));
  EXPECT_THAT(Run({"model", "show", "odd"}).out, HasSubstr("the stored head is used"));
}

}  // namespace
}  // namespace statelib::cli
