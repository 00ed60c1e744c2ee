// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_TENSOR_FILE_H_
#define STATELIB_CORE_MODEL_FILES_TENSOR_FILE_H_

#include <utility>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/model_files/tensor_ref.h"

namespace statelib::model_files {

/// A mapped file of named tensors, whatever its format. Move-only; moving keeps the tensors'
/// addresses. Thread-compatible.
class TensorFile {
 public:
  /// `copies` holds the bytes of tensors that could not be used where they lie in the file.
  TensorFile(MappedFile file, std::vector<TensorRef> tensors, std::vector<Bytes> copies = {})
      : file_(std::move(file)),
        copies_(std::move(copies)),
        tensors_(std::move(tensors), file_.path().string()) {}

  const std::filesystem::path& path() const { return file_.path(); }
  const TensorTable& tensors() const { return tensors_; }
  /// MappedFile::Forget.
  void Forget(ByteSpan part) const { file_.Forget(part); }

 private:
  MappedFile file_;
  std::vector<Bytes> copies_;
  TensorTable tensors_;
};

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_TENSOR_FILE_H_
