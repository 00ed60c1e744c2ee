// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/model_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/atomic_file.h"
#include "core/model_files/fingerprint.h"
#include "core/model_files/safetensors_writer.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/gguf_builder.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = STATELIB_SOURCE_DIR;

TensorToWrite EntryOf(const TensorRef& tensor) {
  return {tensor.name, tensor.type, tensor.shape, tensor.bytes};
}

/// Writes the tensors of a model as so many shards with an index, config.json beside them.
void WriteSharded(const ModelFiles& from, const fs::path& to, size_t shard_count) {
  std::vector<std::vector<TensorToWrite>> shards(shard_count);
  std::string map;
  size_t turn = 0;
  for (const TensorRef& tensor : from.tensors().all()) {
    const size_t shard = turn++ % shard_count;
    shards[shard].push_back(EntryOf(tensor));
    map +=
        fmt::format("{}\"{}\":\"part-{}.safetensors\"", map.empty() ? "" : ",", tensor.name, shard);
  }
  FileSystem& files = FileSystem::Real();
  files.CreateDirectories(to);
  for (size_t i = 0; i < shard_count; ++i) {
    WriteSafetensors(files, to / fmt::format("part-{}.safetensors", i), shards[i]);
  }
  WriteFileAtomically(
      files, to / "model.safetensors.index.json",
      AsBytes(fmt::format(R"({{"metadata":{{"total_size":1.5}},"weight_map":{{{}}}}})", map)));
  WriteFileAtomically(files, to / "config.json", from.config_bytes());
}

TEST(ModelFiles, GoldenAndDemoModelsOpen) {
  const auto golden = ModelFiles::Open(kSource / "tests/golden/mamba");
  EXPECT_EQ(golden->config()["model_type"].String(), "mamba");
  EXPECT_EQ(golden->Get("backbone.norm_f.weight").shape, (std::vector<int64_t>{48}));
  EXPECT_EQ(golden->Find("lm_head.weight"), nullptr);
  EXPECT_TRUE(golden->notes().empty());
  EXPECT_EQ(golden->files().size(), 2u);
  EXPECT_EQ(golden->files()[1].size_bytes,
            fs::file_size(kSource / "tests/golden/mamba/model.safetensors"));
  EXPECT_GT(golden->files()[1].modified_ns, 0);

  const auto demo = ModelFiles::Open(kSource / "examples/models/demo");
  EXPECT_EQ(demo->Get("backbone.embeddings.weight").type, ElementType::kBF16);
  EXPECT_EQ(demo->tensors().all().front().name, "backbone.embeddings.weight");
}

TEST(ModelFiles, ShardsGiveTheSameTensorsAndTheSameFingerprint) {
  TemporaryDirectory folder;
  const auto whole = ModelFiles::Open(kSource / "tests/golden/mamba");
  WriteSharded(*whole, folder.path() / "three", 3);
  const auto sharded = ModelFiles::Open(folder.path() / "three");
  ASSERT_EQ(sharded->tensors().all().size(), whole->tensors().all().size());
  for (const TensorRef& tensor : whole->tensors().all()) {
    const TensorRef& other = sharded->Get(tensor.name);
    EXPECT_EQ(other.shape, tensor.shape);
    EXPECT_EQ(AsText(other.bytes), AsText(tensor.bytes)) << tensor.name;
  }
  EXPECT_EQ(FingerprintOf(*sharded), FingerprintOf(*whole));
  EXPECT_EQ(sharded->files().size(), 5u);  // config, index, three shards
}

TEST(ModelFiles, SingleFileIsPreferredToAnIndex) {
  TemporaryDirectory folder;
  const auto whole = ModelFiles::Open(kSource / "tests/golden/mamba");
  WriteSharded(*whole, folder.path(), 2);
  const std::vector<float> one = {1};
  const TensorToWrite only{"only", ElementType::kF32, {1}, std::as_bytes(std::span(one))};
  WriteSafetensors(FileSystem::Real(), folder.path() / "model.safetensors", std::span(&only, 1));
  EXPECT_EQ(ModelFiles::Open(folder.path())->tensors().all().size(), 1u);
}

TEST(ModelFiles, WhatIsMissingIsNamed) {
  TemporaryDirectory folder;
  ExpectError(ErrorKind::kNotFound, {"none: expected a model's folder"},
              [&] { ModelFiles::Open(folder.path() / "none"); });
  ExpectError(ErrorKind::kNotFound, {"expected config.json", "found nothing"},
              [&] { ModelFiles::Open(folder.path()); });
  folder.Write("config.json", "{}");
  folder.Write("README.md", "");
  ExpectError(ErrorKind::kNotFound,
              {"expected weights, one of model.safetensors, model.safetensors.index.json",
               "found \"README.md\", \"config.json\""},
              [&] { ModelFiles::Open(folder.path()); });
  ExpectError(ErrorKind::kInvalidArgument,
              {"README.md: expected a model's folder", "found another file"},
              [&] { ModelFiles::Open(folder.path() / "README.md"); });
}

TEST(ModelFiles, AGgufFileIsToldByWhoOpensIt) {
  TemporaryDirectory folder;
  const fs::path path = folder.Write(
      "m.gguf", GgufBuilder().String("a", "b").Tensor("own", {3}, 0, CountingFloats(3)).Build());
  ExpectError(ErrorKind::kUnsupported, {"m.gguf: expected a translator"},
              [&] { ModelFiles::Open(path); });
  const GgufTranslator translate = [](const GgufMetadata& metadata, const TensorTable& tensors,
                                      const std::string&) {
    GgufTranslation told{R"({"a": ")" + std::string(metadata.Get("a").String()) + "\"}",
                         {tensors.all().begin(), tensors.all().end()}};
    told.tensors[0].name = "published";
    return told;
  };
  const auto model_files = ModelFiles::Open(path, {}, translate);
  EXPECT_EQ(model_files->config()["a"].String(), "b");
  EXPECT_EQ(ReadF32(model_files->Get("published"))[2], 2.0f);
  EXPECT_EQ(model_files->Find("own"), nullptr);
  EXPECT_NE(model_files->gguf()->tensors().Find("own"), nullptr);
}

TEST(ModelFiles, BrokenConfigIsNamed) {
  TemporaryDirectory folder;
  folder.Write("config.json", "{\"hidden_size\": ");
  ExpectError(ErrorKind::kCorrupt, {"config.json: expected a JSON document"},
              [&] { ModelFiles::Open(folder.path()); });
}

TEST(ModelFiles, TruncatedWeightsAreNamed) {
  TemporaryDirectory folder;
  for (const char* name : {"config.json", "model.safetensors"}) {
    fs::copy_file(kSource / "tests/golden/mamba" / name, folder.path() / name);
  }
  const fs::path weights = folder.path() / "model.safetensors";
  fs::permissions(weights, fs::perms::owner_all);
  fs::resize_file(weights, fs::file_size(weights) - 1);
  ExpectError(ErrorKind::kCorrupt, {"model.safetensors", "cut short"},
              [&] { ModelFiles::Open(folder.path()); });
}

/// A folder with two shards of one tensor each and this weight map.
class ShardedFolder {
 public:
  explicit ShardedFolder(const std::string& weight_map) {
    const std::vector<float> one = {1};
    for (const std::string name : {"a", "b"}) {
      const TensorToWrite entry{name, ElementType::kF32, {1}, std::as_bytes(std::span(one))};
      WriteSafetensors(FileSystem::Real(), folder_.path() / (name + ".safetensors"),
                       std::span(&entry, 1));
    }
    folder_.Write("config.json", "{}");
    folder_.Write("model.safetensors.index.json", R"({"weight_map":)" + weight_map + "}");
  }
  std::unique_ptr<ModelFiles> Open() const { return ModelFiles::Open(folder_.path()); }

 private:
  TemporaryDirectory folder_;
};

TEST(ModelFiles, ShardNamesMustBePlainFileNames) {
  for (const std::string name : {"../a.safetensors", "/etc/passwd", "x/a.safetensors", "..", ".",
                                 "", "a\\\\b", "a\\u0000"}) {
    const ShardedFolder folder(fmt::format(R"({{"a":"{}"}})", name));
    ExpectError(ErrorKind::kCorrupt,
                {"model.safetensors.index.json: weight_map.a", "a file in the same folder"},
                [&] { folder.Open(); });
  }
}

TEST(ModelFiles, EveryMappedTensorMustBeInItsShard) {
  ExpectError(ErrorKind::kCorrupt, {"b.safetensors: expected the tensor \"a\"", "index.json"},
              [] { ShardedFolder(R"({"a":"b.safetensors"})").Open(); });
  ExpectError(ErrorKind::kNotFound, {"expected the shard \"c.safetensors\""},
              [] { ShardedFolder(R"({"a":"c.safetensors"})").Open(); });
  ExpectError(ErrorKind::kCorrupt, {"twice"},
              [] { ShardedFolder(R"({"a":"a.safetensors","a":"a.safetensors"})").Open(); });
  ExpectError(ErrorKind::kCorrupt, {"weight_map", "expected an object"},
              [] { ShardedFolder("[]").Open(); });
}

TEST(ModelFiles, TensorThatTheIndexLeavesOutIsNoted) {
  TemporaryDirectory folder;
  const std::vector<float> one = {1};
  const std::vector<TensorToWrite> entries = {
      {"a", ElementType::kF32, {1}, std::as_bytes(std::span(one))},
      {"b", ElementType::kF32, {1}, std::as_bytes(std::span(one))}};
  WriteSafetensors(FileSystem::Real(), folder.path() / "s", entries);
  folder.Write("config.json", "{}");
  folder.Write("model.safetensors.index.json", R"({"weight_map":{"b":"s"}})");
  const auto model_files = ModelFiles::Open(folder.path());
  EXPECT_EQ(model_files->tensors().all().size(), 1u);
  ASSERT_EQ(model_files->notes().size(), 1u);
  EXPECT_THAT(model_files->notes()[0], testing::HasSubstr("s: 1 tensors are not in"));
}

}  // namespace
}  // namespace statelib::model_files
