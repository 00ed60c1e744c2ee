// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_FEED_FORWARD_H_
#define STATELIB_CORE_MODEL_PARTS_FEED_FORWARD_H_

#include <string>
#include <vector>

#include "core/model/parts/part.h"
#include "core/model/weights.h"

namespace statelib::model {

/// down(silu(gate x) * up x): [rows, D] to [rows, D]. No state.
class GatedFeedForward : public Part {
 public:
  /// Declares `prefix`gate_proj.weight, up_proj.weight [I, D] and down_proj.weight [D, I]. Errors:
  /// those of Weights.
  GatedFeedForward(int64_t hidden, int64_t inner, const std::string& prefix, Weights& weights);

  std::vector<kernels::Operation> Operations() const override {
    return {kernels::Operation::kElementwise};
  }
  void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
           kernels::Rows out) override;

 private:
  int64_t inner_;
  MatrixRef gate_, up_;  // [I, D]
  MatrixRef down_;       // [D, I]
};

/// The same by some of many experts a row, which a router chooses; their outputs are added by the
/// softmax of its logits over the chosen ones.
class ExpertFeedForward : public Part {
 public:
  struct Facts {
    int64_t hidden = 0;  // D
    int64_t inner = 0;   // I, of one expert
    int64_t experts = 0;
    int64_t chosen = 0;  // a row
  };
  /// Declares `prefix`router.weight [experts, D], gate_proj.weight, up_proj.weight [experts, I, D]
  /// and down_proj.weight [experts, D, I]. Errors: those of Weights.
  ExpertFeedForward(const Facts& facts, const std::string& prefix, Weights& weights);

  std::vector<kernels::Operation> Operations() const override {
    return {kernels::Operation::kElementwise, kernels::Operation::kExperts};
  }
  void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
           kernels::Rows out) override;

 private:
  Facts facts_;
  MatrixRef router_;
  std::vector<MatrixRef> gate_, up_, down_;  // [experts]
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_FEED_FORWARD_H_
