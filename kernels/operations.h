// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_OPERATIONS_H_
#define STATELIB_KERNELS_OPERATIONS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/memory.h"

namespace statelib::kernels {

/// What a matrix product does with each finished sum (to which the bias was added).
enum class Epilogue : uint8_t {
  kStore,     ///< out = sum
  kAdd,       ///< out = out + sum: the residual stream
  kSoftplus,  ///< out = softplus(sum)
};

/// Depthwise causal convolution over time, then SiLU:
///   c_t[e] = bias[e] + sum_{j<K} weight[j, e] * x_{t-(K-1)+j}[e];  out_t[e] = silu(c_t[e])
/// The K - 1 inputs before a sequence's first row come from its window [K-1, E], oldest first,
/// which is left holding the last K - 1 inputs.
struct CausalConvArgs {
  ConstRows x;          // [rows, E]
  const float* weight;  // [K, E]; row K-1 multiplies the newest input
  const float* bias;    // [E]
  size_t kernel;        // K, at least 1
  const SequenceTable& sequences;
  size_t state;  // where the window begins in a sequence's slot, in bytes
  Rows out;      // [rows, E]; not x
};

/// Mamba's selective scan, D skip and gate, one step per row in row order:
///   s_t[n, e] = exp(dt_t[e] * A[n, e]) * s_{t-1}[n, e] + (dt_t[e] * x_t[e]) * B_t[n]
///   y_t[e]    = (D[e] * x_t[e] + sum_n s_t[n, e] * C_t[n]) * silu(z_t[e])
/// Each sequence's state s [N, E] is advanced in place.
/// Source: Gu & Dao 2023, algorithm 2, with the Euler input term that every published
/// implementation uses.
struct SelectiveScanArgs {
  ConstRows x;     // [rows, E], after convolution and SiLU
  ConstRows dt;    // [rows, E], after softplus
  ConstRows b;     // [rows, N]
  ConstRows c;     // [rows, N]
  ConstRows z;     // [rows, E], the gate before SiLU
  const float* a;  // [N, E], negative
  const float* d;  // [E]
  const SequenceTable& sequences;
  size_t state;  // where s begins in a sequence's slot, in bytes
  Rows y;        // [rows, E]; may be x
};

/// Mamba-2's scan with one decay a head and time step, D skip and gate; E = heads * P, head h uses
/// group h / (heads / G):
///   dt_t[h]       = clamp(softplus(dt_raw_t[h] + dt_bias[h]), dt_min, dt_max)
///   s_t[h, n, p]  = exp(dt_t[h] * a[h]) * s_{t-1}[h, n, p] + (dt_t[h] * x_t[h, p]) * B_t[g, n]
///   y_t[h, p]     = (d[h, p] * x_t[h, p] + sum_n s_t[h, n, p] * C_t[g, n]) * silu(z_t[h, p])
/// Each sequence's state s [heads, N, P] is advanced in place.
/// Source: Dao & Gu 2024, the recurrent form; the chunked form re-associates over time and has
/// other bits.
struct Mamba2ScanArgs {
  ConstRows x;           // [rows, E], after convolution and SiLU
  ConstRows dt_raw;      // [rows, heads]
  ConstRows b;           // [rows, G * N]
  ConstRows c;           // [rows, G * N]
  ConstRows z;           // [rows, E], the gate before SiLU
  const float* dt_bias;  // [heads]
  const float* a;        // [heads], negative
  const float* d;        // [E]
  float dt_min;
  float dt_max;
  size_t groups;  // G, a divisor of heads
  const SequenceTable& sequences;
  size_t state;  // where s begins in a sequence's slot, in bytes
  Rows y;        // [rows, E]; not x
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_OPERATIONS_H_
