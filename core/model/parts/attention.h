// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_ATTENTION_H_
#define STATELIB_CORE_MODEL_PARTS_ATTENTION_H_

#include <optional>
#include <string>

#include "core/model/parts/part.h"
#include "core/model/weights.h"

namespace statelib::model {

/// The facts of causal attention with grouped queries, without a position encoding.
struct AttentionFacts {
  int64_t inputs = 0;    // D, or what it reads instead
  int64_t outputs = 0;   // D
  int64_t heads = 0;     // of queries
  int64_t kv_heads = 0;  // of keys and values, a divisor of heads
  int64_t head_width = 0;
  float scale = 1.0f;   ///< of the scores
  uint64_t window = 0;  ///< how many positions a row sees, its own included; 0: all
  std::optional<bool> use_bias = false;
  DType keys_and_values = DType::kF32;
};

/// q, k, v and o projections around attention over pages: [rows, inputs] to [rows, outputs]. State:
/// keys and values [kv_heads, head width] a token.
class AttentionPart : public Part {
 public:
  /// Declares the tensors `prefix`q_proj.weight and so on. Errors: those of Weights.
  AttentionPart(const AttentionFacts& facts, const std::string& prefix, Weights& weights);

  std::vector<LayoutSegment> Segments() const override;
  std::vector<kernels::Operation> Operations() const override {
    return {kernels::Operation::kAttention};
  }
  void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
           kernels::Rows out) override;

 private:
  AttentionFacts facts_;
  MatrixRef q_proj_, k_proj_, v_proj_;  // [heads * width, inputs], [kv_heads * width, inputs] twice
  MatrixRef o_proj_;                    // [outputs, heads * width]
  VectorRef q_bias_, k_bias_, v_bias_, o_bias_;  // or none
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_ATTENTION_H_
