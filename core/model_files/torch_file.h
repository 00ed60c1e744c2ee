// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_TORCH_FILE_H_
#define STATELIB_CORE_MODEL_FILES_TORCH_FILE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/model_files/tensor_file.h"

namespace statelib::model_files {

// A state dict as torch.save writes it: a zip archive of stored entries under one folder P.
//   P/data.pkl    the pickle (pickle.h): a dict of names and tensors; a tensor is a call of
//                 torch._utils._rebuild_tensor_v2 with a storage, an offset, sizes and strides
//   P/data/KEY    the raw elements of a storage
//   P/byteorder   "little" or "big"; little when it is not there
// Tensors that share a storage, as tied weights do, share its bytes here too. Source: PyTorch's
// torch.serialization and its weights-only unpickler.

/// Maps a file and checks its archive, its pickle and every tensor. Nothing in it is executed.
/// Copies only tensors whose strides are not those of dense rows.
/// Errors: kNotFound, kIo; kCorrupt; kUnsupported for the format from before PyTorch 1.6, for
/// TorchScript archives and for anything that is no state dict, each by its name.
TensorFile OpenTorchFile(const std::filesystem::path& path);

/// The checked tensors of an archive in memory, which must outlive them.
struct TorchTensors {
  std::vector<TensorRef> tensors;
  std::vector<Bytes> copies;  ///< what the tensors that had to be copied point into
};
TorchTensors ParseTorchFile(ByteSpan archive, const std::string& path);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_TORCH_FILE_H_
