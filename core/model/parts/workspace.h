// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_WORKSPACE_H_
#define STATELIB_CORE_MODEL_PARTS_WORKSPACE_H_

#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/backend.h"

namespace statelib::model {

/// The activations of a pass, in the backend's memory. What was taken first lies where the first
/// thing of the frame before lay: parts that run one after the other share memory, whose addresses
/// stay the same from pass to pass once each part has run. One thread at a time.
class Workspace {
 public:
  /// What is taken while one lives goes back with it. They end in the order opposite to that in
  /// which they began.
  class Frame {
   public:
    explicit Frame(Workspace& workspace) : workspace_(workspace), taken_(workspace.taken_) {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() { workspace_.taken_ = taken_; }

   private:
    Workspace& workspace_;
    size_t taken_;
  };

  /// rows_max: of a pass.
  Workspace(kernels::Backend& backend, size_t rows_max) : backend_(backend), rows_max_(rows_max) {}

  /// [rows, width] in f32, contents undefined. Errors: std::bad_alloc.
  kernels::Rows Take(size_t rows, size_t width);
  /// [count] whole numbers, likewise. The count is that of rows_max at least.
  int32_t* TakeIntegers(size_t count);

  /// Rows that a part gives to later ones of the same pass, under a name of its own.
  kernels::Rows Give(std::string_view name, size_t rows, size_t width);
  /// What was given last. It must have been (checked): a stack puts who gives before who takes.
  kernels::Rows Given(std::string_view name) const;

 private:
  struct Named {
    std::string_view name;
    kernels::Buffer memory;
    kernels::Rows rows;
  };

  kernels::Buffer& Room(size_t elements, kernels::DType dtype);

  kernels::Backend& backend_;
  size_t rows_max_;
  size_t taken_ = 0;
  std::vector<kernels::Buffer> buffers_;
  std::deque<Named> named_;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_WORKSPACE_H_
