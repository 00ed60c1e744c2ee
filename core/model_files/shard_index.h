// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_SHARD_INDEX_H_
#define STATELIB_CORE_MODEL_FILES_SHARD_INDEX_H_

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/model_files/tensor_file.h"

namespace statelib::model_files {

/// Which shard holds which tensors: shard file name -> names of tensors, from the "weight_map" of
/// an index file.
using ShardMap = std::map<std::string, std::vector<std::string>>;

/// Reads model.safetensors.index.json or pytorch_model.bin.index.json. "metadata" is not looked at:
/// it is informative only and often wrong. Errors: kNotFound, kIo; kCorrupt with the place, also
/// when a shard is anything but a plain file name in the folder of the index.
ShardMap ReadShardIndex(const std::filesystem::path& path);
/// The same from its text; `path` is for messages.
ShardMap ParseShardIndex(ByteSpan text, const std::string& path);

/// The tensors of all shards of one index.
struct ShardedTensors {
  std::vector<TensorFile> files;
  TensorTable tensors;
  std::vector<std::string> notes;  ///< tensors that a shard holds and the index leaves out
};

/// Opens every shard once by `open`. Errors: those of `open`; kCorrupt when a shard lacks a tensor
/// that the index promises.
ShardedTensors OpenShards(const std::filesystem::path& index_path,
                          const std::function<TensorFile(const std::filesystem::path&)>& open);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_SHARD_INDEX_H_
