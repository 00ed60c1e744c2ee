// SPDX-License-Identifier: Apache-2.0
#include "core/model/parts/workspace.h"

#include <algorithm>

#include "kernels/check.h"

namespace statelib::model {

using kernels::Buffer;
using kernels::DType;
using kernels::Rows;

Buffer& Workspace::Room(size_t elements, DType dtype) {
  if (taken_ == buffers_.size()) buffers_.emplace_back();
  Buffer& buffer = buffers_[taken_++];
  if (buffer.size() < elements || buffer.dtype() != dtype)
    buffer = backend_.Allocate(std::max(elements, buffer.size()), dtype);
  return buffer;
}

Rows Workspace::Take(size_t rows, size_t width) {
  return {Room(std::max(rows, rows_max_) * width, DType::kF32).data(), rows, width, width};
}

int32_t* Workspace::TakeIntegers(size_t count) { return Room(count, DType::kI32).data<int32_t>(); }

Rows Workspace::Give(std::string_view name, size_t rows, size_t width) {
  auto found = std::find_if(named_.begin(), named_.end(),
                            [name](const Named& named) { return named.name == name; });
  if (found == named_.end()) found = named_.insert(named_.end(), Named{name, {}, {}});
  if (found->memory.size() < std::max(rows, rows_max_) * width)
    found->memory = backend_.Allocate(std::max(rows, rows_max_) * width);
  found->rows = {found->memory.data(), rows, width, width};
  return found->rows;
}

Rows Workspace::Given(std::string_view name) const {
  for (const Named& named : named_)
    if (named.name == name) return named.rows;
  STATELIB_CHECK(false);
}

}  // namespace statelib::model
