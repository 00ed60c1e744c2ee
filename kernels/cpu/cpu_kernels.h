// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_CPU_KERNELS_H_
#define STATELIB_KERNELS_CPU_CPU_KERNELS_H_

#include <string_view>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/host_sequences.h"

namespace statelib::kernels {

/// The weights of a choice (kernels/sampling.h) relative to its largest logit.
struct LogitScale {
  float largest;
  float inverse_temperature;
  float least;  ///< tokens less likely than this, relative to the likeliest, have none
};

/// The logits whose weights are summed up together.
inline constexpr size_t kWeighBlock = 256;

/// One share of each operation for one instruction set: `part` is a range of panels, channels or
/// rows. The bits of a result do not depend on the ranges.
struct CpuKernels {
  std::string_view target;
  void (*rms_norm)(ConstRows x, const float* weight, float epsilon, Rows out, Part rows);
  /// Brings rows of x into the form that a product with such a matrix takes. prepared:
  /// PreparedBytes, aligned to 64.
  void (*prepare_input)(PackedKind kind, ConstRows x, Part rows, std::byte* prepared);
  /// x: at most kRowsMax rows, all of them prepared.
  void (*mat_mul)(const PackedMatrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                  Rows out, Part panels, std::byte* prepared);
  void (*causal_conv)(const CausalConvArgs& args, Part channels);
  void (*selective_scan)(const SelectiveScanArgs& args, Part channels);
  void (*mamba2_scan)(const Mamba2ScanArgs& args, Part heads);
  /// scratch: its own for each thread.
  void (*attention)(const AttentionArgs& args, const SequenceEntry& sequence, size_t kv_head,
                    const AttentionScratch& scratch);
  /// The largest of x; what is no number is passed over, so that minus infinity may be none of x.
  float (*largest_logit)(const float* x, size_t count);
  /// The first i where x[i] is `value`; count where none is.
  size_t (*index_of_logit)(const float* x, size_t count, float value);
  /// The first i of [begin, end) where x[i] is above `bound`; end where none is.
  size_t (*index_of_logit_above)(const float* x, size_t begin, size_t end, float bound);
  /// e [count]: the probability of each token relative to the likeliest, 0 for what is no number;
  /// sums [blocks of kWeighBlock]: their weights.
  void (*weigh_logits)(const LogitScale& scale, const float* x, size_t count, float* e,
                       uint64_t* sums);
};

/// The kernels of every instruction set that this build has and this machine runs, best first.
const std::vector<CpuKernels>& SupportedCpuKernels();

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_CPU_KERNELS_H_
