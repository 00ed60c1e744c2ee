// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_PART_H_
#define STATELIB_CORE_MODEL_PARTS_PART_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/model/parts/workspace.h"
#include "core/model/state_layout.h"
#include "kernels/backend.h"

namespace statelib::model {

/// Sees what parts compute for each token, besides what they give. It changes no bit. Mamba's
/// parts show "x", "dt", "B", "C" and "decay".
class PassObserver {
 public:
  virtual ~PassObserver() = default;
  virtual bool Wants(int32_t layer) const = 0;
  /// rows: [the pass's rows, …] in the backend's memory, valid during the call.
  virtual void Saw(int32_t layer, std::string_view name, kernels::ConstRows rows) = 0;
};

/// One pass over a model as its parts see it. Position and number of rows of each sequence stand in
/// the table.
struct PartPass {
  kernels::Backend& backend;
  const kernels::SequenceTable& sequences;
  Workspace& workspace;
  PassObserver* observer = nullptr;  ///< or null
};

/// Something that a layer is made of: a mixer, attention, a feed-forward network. It takes rows,
/// its state, and rows that earlier parts gave a name, and gives rows; norms before and after it,
/// residuals and what is parallel belong to the stack (layer_stack.h). Its weights are declared
/// when it is made. Used by one stack alone, one thread at a time.
class Part {
 public:
  virtual ~Part() = default;

  /// What it keeps of a sequence, in the order that Bind() gets; layers are set by the stack.
  virtual std::vector<LayoutSegment> Segments() const { return {}; }
  /// How many numbers its operations keep of a row that can be taken back, together.
  virtual size_t KeptFloats() const { return 0; }
  /// What it needs of a backend beyond the operations that each one has.
  virtual std::vector<kernels::Operation> Operations() const { return {}; }

  /// The parts that it is made of, which it runs itself.
  virtual std::vector<Part*> Parts() { return {}; }
  /// The rows of a pass that it gives a name, and those that it takes (workspace.h). A stack has
  /// "embedding" to take, [rows, D].
  virtual std::vector<std::string_view> Gives() const { return {}; }
  virtual std::vector<std::string_view> Takes() const { return {}; }

  /// out = epilogue(what it makes of x). x: [rows, width of its inputs], and stays; out: [rows,
  /// width of its outputs], not x. The epilogue has no activation.
  virtual void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
                   kernels::Rows out) = 0;

 protected:
  /// Where segment `index` of Segments() begins in a slot, or lies in pages.
  size_t SlotOffset(size_t index) const { return places_[index].offset; }
  PagePlace Page(size_t index) const { return places_[index]; }
  /// Where its kept inputs begin in a room, after `floats` of its own of a row.
  size_t Room(size_t floats) const {
    return (room_floats_ + floats) * StateLayout::kKeptRowsMax * sizeof(float);
  }
  int32_t layer() const { return layer_; }
  bool IsObserved(const PartPass& pass) const {
    return pass.observer != nullptr && pass.observer->Wants(layer_);
  }

 private:
  friend class LayerStack;

  int32_t layer_ = 0;
  std::vector<PagePlace> places_;
  size_t room_floats_ = 0;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_PART_H_
