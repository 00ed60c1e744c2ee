// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_LAUNCHES_H_
#define STATELIB_KERNELS_CUDA_LAUNCHES_H_

#include "kernels/cuda/device_matrix.h"

/// One function an operation, each in the file of its name: it chooses the grid and queues the
/// kernel. Arguments and results as in kernels/backend.h, shapes already checked. Errors:
/// DeviceError, std::bad_alloc.
namespace statelib::kernels::cuda {

/// Whether this build's kernels can run on the current device.
bool HasCodeForDevice();

void LaunchEmbed(const DeviceMatrix& table, const int32_t* ids, Rows out);

void LaunchRmsNorm(ConstRows x, const float* weight, float epsilon, Rows out);

void LaunchRmsNormLast(ConstRows x, const float* weight, float epsilon,
                       const SequenceTable& sequences, size_t state);

void LaunchGatherState(const SequenceTable& sequences, size_t state, Rows out);

void LaunchCausalConv(const CausalConvArgs& args);

void LaunchSelectiveScan(const SelectiveScanArgs& args);

void LaunchMamba2Scan(const Mamba2ScanArgs& args);

/// A product of any number of rows, by whichever kernel is faster; the bits are the same.
void LaunchMatMul(const DeviceMatrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                  Rows out, size_t multiprocessors);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_LAUNCHES_H_
