// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_HOST_DEVICE_H_
#define STATELIB_KERNELS_HOST_DEVICE_H_

/// Marks a function that one source gives to the processor and to the GPU, so that both do the same
/// operations. The only place of kernels/ that asks which compiler reads it.
#ifdef __CUDACC__
#define STATELIB_HOST_DEVICE __host__ __device__
#else
#define STATELIB_HOST_DEVICE
#endif

#endif  // STATELIB_KERNELS_HOST_DEVICE_H_
