// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_OPERATIONS_H_
#define STATELIB_KERNELS_OPERATIONS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/memory.h"

namespace statelib::kernels {

enum class Activation : uint8_t { kNone, kSoftplus, kSilu };

/// What a matrix product does with each finished sum, to which the bias was added:
///   out = activation(scale * sum), or out = out + activation(scale * sum)
struct Epilogue {
  float scale = 1.0f;
  Activation activation = Activation::kNone;
  bool add = false;

  bool operator==(const Epilogue&) const = default;

  static const Epilogue kStore;
  static const Epilogue kAdd;  ///< the residual stream
  static const Epilogue kSoftplus;
};
inline constexpr Epilogue Epilogue::kStore{};
inline constexpr Epilogue Epilogue::kAdd{1.0f, Activation::kNone, true};
inline constexpr Epilogue Epilogue::kSoftplus{1.0f, Activation::kSoftplus, false};

/// Depthwise causal convolution over time, then SiLU:
///   c_t[e] = bias[e] + sum_{j<K} weight[j, e] * x_{t-(K-1)+j}[e];  out_t[e] = silu(c_t[e])
/// The K - 1 inputs before a sequence's first row come from its window [K-1, E], oldest first,
/// which is left holding the last K - 1 inputs. Keeps x [W, E].
struct CausalConvArgs {
  ConstRows x;          // [rows, E]
  const float* weight;  // [K, E]; row K-1 multiplies the newest input
  const float* bias;    // [E]
  size_t kernel;        // K, at least 1
  const SequenceTable& sequences;
  size_t state;     // where the window begins in a sequence's slot, in bytes
  Rows out;         // [rows, E]; not x
  size_t kept = 0;  // where the inputs that it keeps begin in a sequence's room, in bytes
};

/// Mamba's selective scan, D skip and gate, one step per row in row order:
///   s_t[n, e] = exp(dt_t[e] * A[n, e]) * s_{t-1}[n, e] + (dt_t[e] * x_t[e]) * B_t[n]
///   y_t[e]    = (D[e] * x_t[e] + sum_n s_t[n, e] * C_t[n]) * silu(z_t[e])
/// Each sequence's state s [N, E] is advanced in place. Keeps dt [W, E], x [W, E] and B [W, N].
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
  size_t state;     // where s begins in a sequence's slot, in bytes
  Rows y;           // [rows, E]; may be x
  size_t kept = 0;  // where the inputs that it keeps begin in a sequence's room, in bytes
};

/// Mamba-2's scan with one decay a head and time step, D skip and gate; E = heads * P, head h uses
/// group h / (heads / G):
///   dt_t[h]       = clamp(softplus(dt_raw_t[h] + dt_bias[h]), dt_min, dt_max)
///   s_t[h, n, p]  = exp(dt_t[h] * a[h]) * s_{t-1}[h, n, p] + (dt_t[h] * x_t[h, p]) * B_t[g, n]
///   y_t[h, p]     = (d[h, p] * x_t[h, p] + sum_n s_t[h, n, p] * C_t[g, n]) * silu(z_t[h, p])
/// Each sequence's state s [heads, N, P] is advanced in place. Keeps dt [W, heads], x [W, E] and
/// B [W, G * N].
/// Source: Dao & Gu 2024, the recurrent form; the chunked form re-associates over time and has
/// other bits.
struct Mamba2ScanArgs {
  ConstRows x;           // [rows, E], after convolution and SiLU
  ConstRows dt_raw;      // [rows, heads]
  ConstRows b;           // [rows, G * N]
  ConstRows c;           // [rows, G * N]
  ConstRows z;           // [rows, E], the gate before SiLU; without data: none
  const float* dt_bias;  // [heads]
  const float* a;        // [heads], negative
  const float* d;        // [E]; null: no skip, and the sum over n begins at +0
  float dt_min;
  float dt_max;
  size_t groups;  // G, a divisor of heads
  const SequenceTable& sequences;
  size_t state;     // where s begins in a sequence's slot, in bytes
  Rows y;           // [rows, E]; not x
  size_t kept = 0;  // where the inputs that it keeps begin in a sequence's room, in bytes
};

/// Causal attention of grouped queries over a sequence's pages: the row at position p (of the
/// sequence, from 0) sees the positions j from max(0, p - window + 1) to p. Its k and v go into the
/// page first. Head h of the queries reads head h / (heads / kv_heads) of keys and values:
///   s_j = scale * (q . k_j), w_j = exp(s_j - m), out = sum_j w_j v_j / sum_j w_j
/// Sums in an order that absolute positions fix. Each score is one chain over its inputs, as in a
/// product. Within a page, m is the largest score, and each sum is one chain over j from +0; the
/// pages' sums are then joined in order, with M the larger one of both largest scores:
///   sum = fma(sum, exp(m_before - M), exp(m - M) * sum_of_page)
/// Source: Vaswani et al. 2017; the joining is that of Dao et al. 2022 (FlashAttention).
struct AttentionArgs {
  ConstRows q;   // [rows, heads * width]
  ConstRows k;   // [rows, kv_heads * width]
  ConstRows v;   // [rows, kv_heads * value width]
  size_t heads;  // a multiple of kv_heads
  size_t kv_heads;
  float scale;
  size_t window;  // how many positions a row sees, its own included; 0: all
  const SequenceTable& sequences;
  size_t group;   // of pages
  size_t keys;    // where keys [kPageTokens, kv_heads * width] begin in a page, in bytes
  size_t values;  // likewise, [kPageTokens, kv_heads * value width]
  DType dtype;    // of keys and values in pages, kF32 or kBF16; rounded when they go in
  Rows out;       // [rows, heads * value width]; not q
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_OPERATIONS_H_
