// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_FUZZ_FUZZ_TENSORS_H_
#define STATELIB_TESTS_FUZZ_FUZZ_TENSORS_H_

#include <span>

#include "core/base/digest.h"
#include "core/model_files/tensor_ref.h"
#include "core/model_files/tensor_text.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::model_files {

/// What every reader promises of a tensor that it accepts; touches all of its bytes.
inline void CheckTensors(std::span<const TensorRef> tensors) {
  Hasher hasher;
  for (const TensorRef& tensor : tensors) {
    Promise(IsPlainName(tensor.name));
    Promise(StorageBytes(tensor.type, tensor.shape) == tensor.bytes.size());
    hasher.Update(tensor.bytes);
    if (IsBlockType(tensor.type) || WeightTypeOf(tensor.type)) ReadF32(tensor);
  }
  hasher.Finish();
}

}  // namespace statelib::model_files

#endif  // STATELIB_TESTS_FUZZ_FUZZ_TENSORS_H_
