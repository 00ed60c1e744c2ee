// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_TENSOR_TEXT_H_
#define STATELIB_CORE_MODEL_FILES_TENSOR_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace statelib::model_files {

/// "[3, 4]", cut after 16 axes.
std::string ShapeText(std::span<const int64_t> shape);

/// Whether a tensor's name is one that statelib accepts: 1 to 1024 bytes, no control bytes.
bool IsPlainName(std::string_view name);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_TENSOR_TEXT_H_
