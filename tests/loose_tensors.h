// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_LOOSE_TENSORS_H_
#define STATELIB_TESTS_LOOSE_TENSORS_H_

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/model_files/safetensors_file.h"
#include "core/model_files/safetensors_writer.h"

namespace statelib {

/// A tensor of a safetensors file that a test writes again otherwise.
struct LooseTensor {
  std::string name;
  model_files::ElementType type = model_files::ElementType::kF32;
  std::vector<int64_t> shape;
  Bytes bytes;

  /// Replaces each f32 element by what `map` makes of it.
  void Map(const std::function<float(float)>& map) {
    for (size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float))
      StoreLittle(map(LoadLittle<float>(bytes.data() + at)), bytes.data() + at);
  }
};

using LooseTensors = std::vector<LooseTensor>;

inline LooseTensors ReadLoose(const std::filesystem::path& safetensors) {
  const auto file = model_files::OpenSafetensors(safetensors);
  LooseTensors tensors;
  for (const model_files::TensorRef& tensor : file.tensors().all())
    tensors.push_back(
        {tensor.name, tensor.type, tensor.shape, Bytes(tensor.bytes.begin(), tensor.bytes.end())});
  return tensors;
}

/// The tensor of this name, which is there.
inline LooseTensor& Named(LooseTensors& tensors, std::string_view name) {
  return *std::ranges::find(tensors, name, &LooseTensor::name);
}

inline LooseTensor FloatTensor(std::string name, std::vector<int64_t> shape,
                               const std::vector<float>& values) {
  const ByteSpan bytes = std::as_bytes(std::span(values));
  return {std::move(name), model_files::ElementType::kF32, std::move(shape),
          Bytes(bytes.begin(), bytes.end())};
}

inline void WriteLoose(const std::filesystem::path& path, const LooseTensors& tensors) {
  std::vector<model_files::TensorToWrite> to_write;
  for (const LooseTensor& tensor : tensors)
    to_write.push_back({tensor.name, tensor.type, tensor.shape, tensor.bytes});
  model_files::WriteSafetensors(FileSystem::Real(), path, to_write);
}

}  // namespace statelib

#endif  // STATELIB_TESTS_LOOSE_TENSORS_H_
