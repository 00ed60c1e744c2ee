// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_BACKEND_H_
#define STATELIB_KERNELS_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "kernels/device_error.h"
#include "kernels/experts.h"
#include "kernels/matrix.h"
#include "kernels/memory.h"
#include "kernels/operations.h"
#include "kernels/profile.h"
#include "kernels/transfer.h"

namespace statelib::kernels {

struct SampleArgs;  // kernels/sampling.h

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
  /// How many rows a pass should have: enough that reading the weights costs little beside the
  /// products, and no more memory for activations than that takes.
  virtual size_t rows_preferred() const { return 96; }

  /// What fixes the bits of a model that asks for this, as the base of a profile (profile.h): equal
  /// names mean equal bits for everything below, and nothing else than this says what a state's
  /// profile is. Empty for a weight format that this backend does not hold.
  virtual std::string ProfileOf(const ProfileRequest& request) const = 0;
  /// Whether it has an operation that not every backend has.
  virtual bool Supports(Operation) const { return false; }

  /// Contents undefined.
  virtual Buffer Allocate(size_t elements, DType dtype = DType::kF32) = 0;
  /// The address by which the host reads and writes this backend's memory, where that is the host's
  /// own; null elsewhere.
  virtual std::byte* HostAddress(std::byte*) const { return nullptr; }
  virtual void UploadBytes(std::span<const std::byte> from_host, std::byte* to) = 0;
  virtual void DownloadBytes(const std::byte* from, std::span<std::byte> to_host) = 0;
  /// Begins to bring to the host what `from` holds after the operations called before, beside later
  /// ones where the backend can. Neither memory is touched until the transfer was waited for or
  /// destroyed, which waits, too; it does not outlive the backend.
  virtual std::unique_ptr<Transfer> BeginDownload(const std::byte* from,
                                                  std::span<std::byte> to_host);
  virtual void CopyBytes(const std::byte* from, std::byte* to, size_t bytes) = 0;
  virtual void ZeroBytes(std::byte* to, size_t bytes) = 0;

  void Upload(std::span<const float> from_host, float* to) {
    UploadBytes(std::as_bytes(from_host), reinterpret_cast<std::byte*>(to));
  }
  void Download(const float* from, std::span<float> to_host) {
    DownloadBytes(reinterpret_cast<const std::byte*>(from), std::as_writable_bytes(to_host));
  }

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

  /// out[t] = row ids[t] of the table. ids [out.rows], valid, in the backend's memory.
  virtual void Embed(const Matrix& table, const int32_t* ids, Rows out) = 0;
  /// out = x / sqrt(mean(x^2) + epsilon) * weight, for each row. out may be x.
  virtual void RmsNorm(ConstRows x, const float* weight, float epsilon, Rows out) = 0;
  /// The same of the row of x, [rows, D], after which each sequence's state is, into the segment
  /// [D] that begins at `state` bytes of its slot. Keeps the normed rows [W, D] (memory.h) from
  /// `kept` bytes of its room on.
  virtual void RmsNormLast(ConstRows x, const float* weight, float epsilon,
                           const SequenceTable& sequences, size_t state, size_t kept) = 0;
  /// out[s] = the segment [out.cols] that begins at `state` bytes of sequence s's slot.
  virtual void GatherState(const SequenceTable& sequences, size_t state, Rows out) = 0;
  /// out[t, o] = epilogue(sum_k weights[o, k] * x[t, k] + bias[o]); bias may be null. out is not x.
  /// A quantised matrix quantises x too; README.md has the formulas.
  virtual void MatMul(const Matrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                      Rows out) = 0;
  virtual void CausalConv(const CausalConvArgs& args) = 0;
  virtual void SelectiveScan(const SelectiveScanArgs& args) = 0;
  virtual void Mamba2Scan(const Mamba2ScanArgs& args) = 0;

  // Operations that not every backend has: Supports says which. Without one they throw DeviceError.

  /// out = x * silu(z). out may be x.
  virtual void Gate(ConstRows x, ConstRows z, Rows out);
  /// out = out + scale * x
  virtual void AddScaled(ConstRows x, float scale, Rows out);
  /// out = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * weight + bias, for each row. out
  /// may be x.
  virtual void LayerNorm(ConstRows x, const float* weight, const float* bias, float epsilon,
                         Rows out);
  virtual void Attention(const AttentionArgs& args);
  /// Chooses for each row the experts with the largest logits [rows, experts], of equals the ones
  /// with the lower numbers; their shares are the softmax over those alone.
  virtual void Route(ConstRows logits, const ExpertPlaces& out);
  virtual void MatMulByExpert(const ExpertProductArgs& args);
  /// out[t] = the sum of share * x over the places of row t, a chain from +0 in the order of expert
  /// numbers. x: [places, D].
  virtual void SumExperts(ConstRows x, const ExpertPlaces& places, Rows out);
  /// The dt [rows, heads] of Mamba2ScanArgs.
  virtual void TimeSteps(const Mamba2ScanArgs& args, Rows out);
  /// out[t, n * E + e] = exp(dt[t, e] * a[n, e]) for n < states: what a step leaves of each state.
  virtual void Decays(ConstRows dt, const float* a, size_t states, Rows out);

  /// Chooses one token of each row of logits; sampling.h says how, and the choices of every backend
  /// are the same. Waits for them. By default the rows come to the host, where the reference
  /// chooses.
  virtual void Sample(const SampleArgs& args);

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

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_BACKEND_H_
