// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_MODEL_FILES_RAW_BYTES_H_
#define STATELIB_TESTS_CORE_MODEL_FILES_RAW_BYTES_H_

#include <string>

#include "core/base/bytes.h"

namespace statelib::model_files {

/// Little-endian bytes of a number.
template <typename T>
std::string Raw(T value) {
  std::string bytes(sizeof(T), '\0');
  StoreLittle(value, reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

/// "0 1 2 …" as f32.
inline std::string CountingFloats(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += Raw(static_cast<float>(i));
  return bytes;
}

}  // namespace statelib::model_files

#endif  // STATELIB_TESTS_CORE_MODEL_FILES_RAW_BYTES_H_
