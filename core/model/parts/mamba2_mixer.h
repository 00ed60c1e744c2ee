// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_MAMBA2_MIXER_H_
#define STATELIB_CORE_MODEL_PARTS_MAMBA2_MIXER_H_

#include <limits>
#include <optional>
#include <string>

#include "core/model/parts/part.h"
#include "core/model/weights.h"

namespace statelib::model {

/// How the scan's output is normed.
enum class GatedNorm : uint8_t {
  kNone,        ///< y * silu(z) alone
  kAfterGate,   ///< rms(y * silu(z)) * w
  kBeforeGate,  ///< rms(y) * w * silu(z)
};

/// The facts of Mamba-2's mixer (Dao & Gu 2024) in which published families differ. Dimensions by
/// the letters of the literature; E = H * P.
struct Mamba2Facts {
  int64_t hidden = 0;       // D
  int64_t heads = 0;        // H
  int64_t head_width = 0;   // P
  int64_t states = 0;       // N
  int64_t groups = 0;       // G
  int64_t kernel = 0;       // K
  int64_t norm_groups = 0;  ///< that the norm's mean is taken over
  GatedNorm norm = GatedNorm::kAfterGate;
  float norm_epsilon = 1e-5f;
  float dt_min = 0.0f;
  float dt_max = std::numeric_limits<float>::infinity();
  std::optional<bool> use_bias;  ///< of in_proj and out_proj; without a word the tensors decide
  bool use_conv_bias = true;

  int64_t inner() const { return heads * head_width; }                 // E
  int64_t convolved() const { return inner() + 2 * groups * states; }  // x, B and C
  int64_t projected() const { return inner() + convolved() + heads; }  // z, x, B, C and dt
};

/// in_proj, convolution, scan, gate and norm, out_proj: [rows, D] to [rows, D]. The scan runs the
/// recurrence in token order, not the chunked form, so that the bits do not depend on how a text is
/// cut. State: conv [K-1, E + 2GN] and ssm [H, N, P].
class Mamba2Mixer : public Part {
 public:
  /// Declares the tensors `prefix`in_proj.weight and so on. Errors: those of Weights.
  Mamba2Mixer(const Mamba2Facts& facts, const std::string& prefix, Weights& weights);

  std::vector<LayoutSegment> Segments() const override;
  size_t KeptFloats() const override;
  std::vector<kernels::Operation> Operations() const override;
  void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
           kernels::Rows out) override;

 private:
  void Normalise(const PartPass& pass, kernels::Rows y) const;
  void Show(const PartPass& pass, const kernels::Mamba2ScanArgs& scan) const;

  Mamba2Facts facts_;
  MatrixRef in_proj_;                  // [2E + 2GN + H, D]: z, x, B, C, dt
  MatrixRef out_proj_;                 // [D, E]
  VectorRef in_bias_, out_bias_;       // [2E + 2GN + H], [D], or none
  VectorRef conv_weight_, conv_bias_;  // [K, E + 2GN], [E + 2GN]
  VectorRef dt_bias_, a_;              // [H]
  VectorRef d_;                        // [E]
  VectorRef norm_;                     // [E], or none
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_MAMBA2_MIXER_H_
