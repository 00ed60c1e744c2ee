// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_TENSOR_TO_WRITE_H_
#define STATELIB_CORE_MODEL_FILES_TENSOR_TO_WRITE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/model_files/element_type.h"

namespace statelib::model_files {

/// Takes a tensor's bytes piece after piece.
using ByteSink = std::function<void(ByteSpan)>;

/// A tensor to write: row-major, dense, little-endian. Its bytes stay the caller's, or are made
/// while they are written, so that a large file needs little memory.
struct TensorToWrite {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;  ///< slowest axis first
  ByteSpan bytes = {};
  std::function<void(const ByteSink&)> stream = {};  ///< where it is set, `bytes` is empty
};

/// Errors: kInvalidArgument, with `path`, when a tensor's name is none or stands there twice, or
/// its bytes are not as many as its type and shape say.
void CheckTensorsToWrite(std::span<const TensorToWrite> tensors, const std::string& path);

/// Appends a tensor's bytes; returns how many they are. Errors: those of the file and the stream;
/// kInvalidArgument when the stream gave other than what the shape says.
uint64_t AppendTensor(const TensorToWrite& tensor, AtomicFile& file);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_TENSOR_TO_WRITE_H_
