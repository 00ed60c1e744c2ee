// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/shard_index.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/base/lfs_pointer.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr uint64_t kIndexBytesMax = 100'000'000;

/// A hostile index must not reach outside its folder.
bool IsPlainFileName(std::string_view name) {
  return IsPlainName(name) && name.size() <= 255 && name != "." && name != ".." &&
         name.find_first_of("/\\") == std::string_view::npos;
}

}  // namespace

ShardMap ReadShardIndex(const std::filesystem::path& path) {
  const Bytes text = FileSystem::Real().ReadFile(path, kIndexBytesMax);
  RefuseLfsPointer(text, path.string());
  return ParseShardIndex(text, path.string());
}

ShardMap ParseShardIndex(ByteSpan text, const std::string& path) {
  const JsonDocument document = JsonDocument::Parse(text, path);
  ShardMap shards;
  document.root()["weight_map"].ForEachMember([&](std::string_view name, const JsonValue& value) {
    if (!IsPlainName(name)) {
      Throw(ErrorKind::kCorrupt,
            "{}: weight_map: expected tensor names of 1 to 1024 bytes without control characters, "
            "found {}",
            path, Quoted(name));
    }
    const std::string_view shard = value.String();
    if (!IsPlainFileName(shard)) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected the name of a file in the same folder, without any folder, found {}",
            value.Path(), Quoted(shard));
    }
    shards[std::string(shard)].emplace_back(name);
  });
  return shards;
}

ShardedTensors OpenShards(const std::filesystem::path& index_path,
                          const std::function<TensorFile(const std::filesystem::path&)>& open) {
  ShardedTensors all;
  std::vector<TensorRef> tensors;
  for (const auto& [shard, names] : ReadShardIndex(index_path)) {
    const std::filesystem::path shard_path = index_path.parent_path() / shard;
    if (!FileSystem::Real().Exists(shard_path)) {
      Throw(ErrorKind::kNotFound,
            "{}: expected the shard {} that {} names, found no such file; fetch the missing shard",
            index_path.parent_path().string(), Quoted(shard), index_path.filename().string());
    }
    const TensorFile& file = all.files.emplace_back(open(shard_path));
    for (const std::string& name : names) {
      const TensorRef* tensor = file.tensors().Find(name);
      if (tensor == nullptr) {
        Throw(ErrorKind::kCorrupt,
              "{}: expected the tensor {} that {} places here, found {} tensors without it; fetch "
              "the index and the shards of one release",
              shard_path.string(), Quoted(name), index_path.filename().string(),
              file.tensors().all().size());
      }
      tensors.push_back(*tensor);
    }
    if (file.tensors().all().size() > names.size()) {
      all.notes.push_back(
          fmt::format("{}: {} tensors are not in {} and are left out", shard_path.string(),
                      file.tensors().all().size() - names.size(), index_path.filename().string()));
    }
  }
  all.tensors = TensorTable(std::move(tensors), index_path.parent_path().string());
  return all;
}

}  // namespace statelib::model_files
