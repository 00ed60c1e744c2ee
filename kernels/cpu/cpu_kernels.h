// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_CPU_KERNELS_H_
#define STATELIB_KERNELS_CPU_CPU_KERNELS_H_

#include <string_view>
#include <vector>

#include "kernels/backend.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/host_sequences.h"

namespace statelib::kernels {

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
};

/// The kernels of every instruction set that this build has and this machine runs, best first.
const std::vector<CpuKernels>& SupportedCpuKernels();

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_CPU_KERNELS_H_
