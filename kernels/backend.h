// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_BACKEND_H_
#define STATELIB_KERNELS_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kernels/device_error.h"
#include "kernels/profile.h"
#include "kernels/weight_type.h"

namespace statelib::kernels {

/// Weights in host memory: row-major, dense, possibly unaligned. A row holds one output's weights
/// and, in a block type, fills whole blocks.
struct WeightView {
  const std::byte* data = nullptr;
  WeightType type = WeightType::kF32;
  size_t rows = 0;
  size_t cols = 0;
};

/// What packed bytes are: with Backend::packed_layout() all that it takes to use them again.
struct MatrixDescription {
  uint32_t kind = 0;  ///< the layout's own number; 0: these bytes cannot be used again
  uint64_t rows = 0;
  uint64_t cols = 0;

  bool operator==(const MatrixDescription&) const = default;
};

/// A weight matrix in a backend's own form; only the backend that made it can use it.
class Matrix {
 public:
  virtual ~Matrix() = default;
  size_t rows() const { return rows_; }  ///< outputs
  size_t cols() const { return cols_; }  ///< inputs: the length that a product sums over

  /// What packed() holds.
  virtual MatrixDescription description() const { return {0, rows_, cols_}; }
  /// The whole matrix as bytes without a pointer in them, aligned to 64, for a file from which
  /// Backend::Map takes them; they live as long as the matrix. Empty where description().kind is 0.
  virtual std::span<const std::byte> packed() const { return {}; }

 protected:
  Matrix(size_t rows, size_t cols) : rows_(rows), cols_(cols) {}

 private:
  size_t rows_;
  size_t cols_;
};

/// f32 numbers in a backend's memory, aligned to 64 bytes. Move-only. Only the backend reads what
/// data() points at.
class Buffer {
 public:
  using Release = void (*)(float*);

  Buffer() : data_(nullptr, [](float*) {}) {}
  Buffer(float* data, size_t size, Release release) : data_(data, release), size_(size) {}

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }  ///< in floats

 private:
  std::unique_ptr<float, Release> data_;
  size_t size_ = 0;
};

/// Activations in a backend's memory: row t begins at data + t * stride.
struct Rows {
  float* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  size_t stride = 0;  ///< in floats, at least cols

  Rows Columns(size_t first, size_t count) const { return {data + first, rows, count, stride}; }
};

struct ConstRows {
  ConstRows(const float* d, size_t r, size_t c, size_t s) : data(d), rows(r), cols(c), stride(s) {}
  ConstRows(const Rows& rows_in)  // NOLINT(google-explicit-constructor): a view that only reads
      : data(rows_in.data), rows(rows_in.rows), cols(rows_in.cols), stride(rows_in.stride) {}

  const float* data;
  size_t rows;
  size_t cols;
  size_t stride;
};

/// What a matrix product does with each finished sum (to which the bias was added).
enum class Epilogue : uint8_t {
  kStore,     ///< out = sum
  kAdd,       ///< out = out + sum: the residual stream
  kSoftplus,  ///< out = softplus(sum)
};

/// The rows of a ragged batch that belong to one sequence, and the part of its state that an
/// operation advances.
struct SequenceSlot {
  size_t first_row = 0;
  size_t row_count = 0;  ///< at least 1
  float* state = nullptr;
};

/// Depthwise causal convolution over time, then SiLU:
///   c_t[e] = bias[e] + sum_{j<K} weight[j, e] * x_{t-(K-1)+j}[e];  out_t[e] = silu(c_t[e])
/// The K - 1 inputs before a sequence's first row come from its state [K-1, E], oldest first, which
/// is left holding the last K - 1 inputs.
struct CausalConvArgs {
  ConstRows x;          // [rows, E]
  const float* weight;  // [K, E]; row K-1 multiplies the newest input
  const float* bias;    // [E]
  size_t kernel;        // K, at least 1
  std::span<const SequenceSlot> sequences;
  Rows out;  // [rows, E]; not x
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
  std::span<const SequenceSlot> sequences;
  Rows y;  // [rows, E]; may be x
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
  std::span<const SequenceSlot> sequences;
  Rows y;  // [rows, E]; not x
};

/// The arithmetic that a model is written in. Every operation works on a ragged batch of rows; a
/// row's result depends on that row and its sequence's state alone, with every sum in an order that
/// its length fixes: the same tokens give the same bits in any batch, cut or thread count
/// (README.md in this folder says how). Operations run in call order; Download waits for what it
/// reads. Pointers are to this backend's memory unless said. Shapes are the caller's promise
/// (checked, aborting: a wrong one is a bug of this program). Errors: std::bad_alloc,
/// DeviceError when a device fails. One thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;  ///< "reference", "cpu avx3, 2 threads"
  virtual int threads() const { return 1; }

  /// What fixes the bits of a model that asks for this, as the base of a profile (profile.h): equal
  /// names mean equal bits for everything below, and nothing else than this says what a state's
  /// profile is. Empty for a weight format that this backend does not hold.
  virtual std::string ProfileOf(const ProfileRequest& request) const = 0;
  /// Whether it has an operation that not every backend has.
  virtual bool Supports(Operation) const { return false; }

  virtual Buffer Allocate(size_t floats) = 0;  ///< contents undefined
  virtual void Upload(std::span<const float> from_host, float* to) = 0;
  virtual void Download(const float* from, std::span<float> to_host) = 0;
  virtual void Copy(const float* from, float* to, size_t floats) = 0;
  virtual void Zero(float* to, size_t floats) = 0;

  /// Brings a matrix into this backend's form. The view's bytes are not needed afterwards. Errors:
  /// std::bad_alloc; DeviceError for a type or format that this backend has not.
  virtual std::unique_ptr<Matrix> Pack(const WeightView& weights,
                                       WeightFormat format = WeightFormat::kStored) = 0;

  /// Names the layout of packed bytes and its revision: bytes written under another name are of no
  /// use. Empty: this backend cannot map.
  virtual std::string packed_layout() const { return {}; }
  /// A matrix that uses packed bytes where they lie; they must outlive it unchanged and be aligned
  /// to 64. Bytes that were never packed give numbers without a meaning, but no access outside
  /// them. Errors: std::invalid_argument when description, size and alignment do not fit together;
  /// DeviceError when this backend cannot map.
  virtual std::unique_ptr<Matrix> Map(const MatrixDescription& description,
                                      std::span<const std::byte> packed);

  /// out[t] = row ids[t] of the table; ids are in host memory and valid. out: [ids, table.cols()].
  virtual void Embed(const Matrix& table, std::span<const int32_t> ids, Rows out) = 0;
  /// out = x / sqrt(mean(x^2) + epsilon) * weight, for each row. out may be x.
  virtual void RmsNorm(ConstRows x, const float* weight, float epsilon, Rows out) = 0;
  /// out[t, o] = epilogue(sum_k weights[o, k] * x[t, k] + bias[o]); bias may be null. out is not x.
  /// A quantised matrix quantises x too; README.md has the formulas.
  virtual void MatMul(const Matrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                      Rows out) = 0;
  virtual void CausalConv(const CausalConvArgs& args) = 0;
  virtual void SelectiveScan(const SelectiveScanArgs& args) = 0;
  virtual void Mamba2Scan(const Mamba2ScanArgs& args) = 0;

  /// MatMul(weights, bias, x, kStore, out) and then CausalConv(conv), whose x are columns of out. A
  /// backend may begin with a channel as soon as it is there; the bits are the same.
  virtual void MatMulThenConv(const Matrix& weights, const float* bias, ConstRows x, Rows out,
                              const CausalConvArgs& conv) {
    MatMul(weights, bias, x, Epilogue::kStore, out);
    CausalConv(conv);
  }
  /// MatMul(weights, bias, x, kSoftplus, dt) and then SelectiveScan(scan), whose dt that is; as
  /// above.
  virtual void MatMulThenScan(const Matrix& weights, const float* bias, ConstRows x, Rows dt,
                              const SelectiveScanArgs& scan) {
    MatMul(weights, bias, x, Epilogue::kSoftplus, dt);
    SelectiveScan(scan);
  }
};

inline std::unique_ptr<Matrix> Backend::Map(const MatrixDescription&, std::span<const std::byte>) {
  throw DeviceError(DeviceError::Kind::kUnsupported,
                    "[map] " + name() + " has no packed layout: pack the weights");
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_BACKEND_H_
