// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_MAMBA1_MIXER_H_
#define STATELIB_CORE_MODEL_PARTS_MAMBA1_MIXER_H_

#include <optional>
#include <string>

#include "core/model/parts/part.h"
#include "core/model/weights.h"

namespace statelib::model {

/// The facts of a selective state space mixer (Gu & Dao 2023) in which published families differ.
/// Dimensions by the letters of the literature.
struct Mamba1Facts {
  int64_t hidden = 0;            // D
  int64_t inner = 0;             // E
  int64_t states = 0;            // N
  int64_t dt_rank = 0;           // R
  int64_t kernel = 0;            // K
  std::optional<bool> use_bias;  ///< of in_proj and out_proj; without a word the tensors decide
  bool use_conv_bias = true;
  /// With a value, dt, B and C are each RMS-normalised without weights before they are used.
  std::optional<float> dt_b_c_norm_epsilon;
};

/// in_proj, convolution, selective scan with its gate, out_proj: [rows, D] to [rows, D]. State:
/// conv [K-1, E] and ssm [N, E].
class Mamba1Mixer : public Part {
 public:
  /// Declares the tensors `prefix`in_proj.weight and so on. Errors: those of Weights.
  Mamba1Mixer(const Mamba1Facts& facts, const std::string& prefix, Weights& weights);

  std::vector<LayoutSegment> Segments() const override;
  size_t KeptFloats() const override;
  void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
           kernels::Rows out) override;

 private:
  struct Activations {
    kernels::Rows x_and_z, x, dt_in, b, c, dt;
  };

  void Scan(const PartPass& pass, const Activations& rows, kernels::Rows y);
  void Show(const PartPass& pass, const Activations& rows) const;

  Mamba1Facts facts_;
  MatrixRef in_proj_;                  // [2E, D]: x above z
  MatrixRef x_proj_;                   // [R + 2N, E]: dt, B, C
  MatrixRef dt_proj_;                  // [E, R]
  MatrixRef out_proj_;                 // [D, E]
  VectorRef in_bias_, out_bias_;       // [2E], [D], or none
  VectorRef conv_weight_, conv_bias_;  // [K, E], [E]
  VectorRef dt_bias_;                  // [E]
  VectorRef a_;                        // [N, E] = -exp(A_log), transposed
  VectorRef d_;                        // [E]
  VectorRef ones_;                     // the weights of a norm that has none
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_MAMBA1_MIXER_H_
