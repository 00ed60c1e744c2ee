// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/tensor_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/printable.h"

namespace statelib::model_files {

namespace {

constexpr size_t kAxesMax = 16;
constexpr size_t kNameMax = 1024;

}  // namespace

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < std::min(shape.size(), kAxesMax); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  }
  return text + (shape.size() > kAxesMax ? ", …]" : "]");
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::none_of(name.begin(), name.end(), IsControl);
}

}  // namespace statelib::model_files
