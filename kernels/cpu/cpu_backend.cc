// SPDX-License-Identifier: Apache-2.0
// Divides each operation among the threads: matrix products by panels of outputs, convolution and
// scan by channels, norms by rows. No sum is ever divided. What needs nothing but a thread's own
// outputs follows them on that thread: the hand-over between operations is saved, and they are
// still in its nearest caches.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/backends.h"
#include "kernels/check.h"
#include "kernels/cpu/cpu_kernels.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/prepared_input.h"
#include "kernels/cpu/row_sampler.h"
#include "kernels/flush_subnormals.h"
#include "kernels/host_backend.h"
#include "kernels/sampling.h"

namespace statelib::kernels {

namespace {

// Below this many multiply-adds, waking a thread costs more than it brings (about 2 microseconds of
// work).
constexpr size_t kSmallWork = 64 * 1024;

// What a thread takes at a time: some microseconds of work, in whole tiles.
constexpr size_t kPiecePanels = 8, kSmallPiecePanels = 4, kPieceChannels = 8 * kPanelWidth;

/// Panels a piece, fewer where the threads would else get unequal shares of a small matrix.
size_t PiecePanels(size_t panels, size_t threads) {
  const size_t pieces = (panels + kPiecePanels - 1) / kPiecePanels;
  return pieces < 4 * threads && pieces % threads != 0 ? kSmallPiecePanels : kPiecePanels;
}

class CpuBackend : public HostBackend {
 public:
  CpuBackend(const CpuKernels& kernels, int threads) : kernels_(kernels), threads_(threads) {}

  std::string name() const override {
    return fmt::format("cpu {}, {} threads", kernels_.target, threads_.size());
  }
  int threads() const override { return static_cast<int>(threads_.size()); }

  std::unique_ptr<Matrix> Pack(const WeightView& weights, WeightFormat format) override {
    return std::make_unique<PackedMatrix>(weights, format, threads_);
  }
  std::string packed_layout() const override { return kPackedLayout; }
  std::unique_ptr<Matrix> Map(const MatrixDescription& description,
                              std::span<const std::byte> packed) override {
    return std::make_unique<PackedMatrix>(description, packed);
  }

  void Embed(const Matrix& table, const int32_t* ids, Rows out) override {
    const auto& packed = static_cast<const PackedMatrix&>(table);
    for (size_t t = 0; t < out.rows; ++t)
      packed.DecodeRow(static_cast<size_t>(ids[t]), out.f32() + t * out.stride);
  }

  void RmsNorm(ConstRows x, const float* weight, float epsilon, Rows out) override {
    threads_.Run(x.rows * x.cols < kSmallWork / 4, [&](size_t share, size_t shares) {
      kernels_.rms_norm(x, weight, epsilon, out, PartOf(x.rows, 1, share, shares));
    });
  }

  void MatMul(const Matrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
              Rows out) override {
    for (size_t t = 0; t < x.rows; t += kRowsMax) {
      const size_t rows = std::min(kRowsMax, x.rows - t);
      const ConstRows some{x.f32() + t * x.stride, rows, x.cols, x.stride};
      MatMulPass(weights, bias, some, epilogue,
                 {out.f32() + t * out.stride, rows, out.cols, out.stride},
                 IsSmallProduct(weights, rows), [](Part) {});
    }
  }

  void CausalConv(const CausalConvArgs& args) override {
    Check(args);
    threads_.RunPieces(args.x.rows * args.x.cols < kSmallWork / 32, args.x.cols, kPieceChannels,
                       [&](Part channels) { kernels_.causal_conv(args, channels); });
  }

  void SelectiveScan(const SelectiveScanArgs& args) override {
    Check(args);
    threads_.RunPieces(IsSmall(args), args.x.cols, kPieceChannels,
                       [&](Part channels) { kernels_.selective_scan(args, channels); });
  }

  void MatMulThenConv(const Matrix& weights, const float* bias, ConstRows x, Rows out,
                      const CausalConvArgs& conv) override {
    if (x.rows > kRowsMax) return HostBackend::MatMulThenConv(weights, bias, x, out, conv);
    Check(conv);
    const auto first = static_cast<size_t>(conv.x.f32() - out.f32()), end = first + conv.x.cols;
    STATELIB_CHECK(conv.x.rows == x.rows && conv.x.stride == out.stride && end <= out.cols);
    MatMulPass(weights, bias, x, Epilogue::kStore, out, IsSmallProduct(weights, x.rows),
               [&](Part outputs) {
                 const Part channels{std::clamp(outputs.begin, first, end) - first,
                                     std::clamp(outputs.end, first, end) - first};
                 if (channels.begin < channels.end) kernels_.causal_conv(conv, channels);
               });
  }

  void MatMulThenScan(const Matrix& weights, const float* bias, ConstRows x, Rows dt,
                      const SelectiveScanArgs& scan) override {
    if (x.rows > kRowsMax) return HostBackend::MatMulThenScan(weights, bias, x, dt, scan);
    Check(scan);
    STATELIB_CHECK(scan.dt.data == dt.data && scan.x.rows == x.rows && scan.x.cols == dt.cols);
    MatMulPass(weights, bias, x, Epilogue::kSoftplus, dt,
               IsSmallProduct(weights, x.rows) && IsSmall(scan),
               [&](Part channels) { kernels_.selective_scan(scan, channels); });
  }

  void Mamba2Scan(const Mamba2ScanArgs& args) override {
    STATELIB_CHECK(args.x.cols % args.dt_raw.cols == 0 && args.dt_raw.cols % args.groups == 0);
    STATELIB_CHECK(args.b.cols == args.c.cols && args.b.cols % args.groups == 0);
    const size_t work = args.x.rows * args.x.cols * args.b.cols / args.groups;
    threads_.RunPieces(work < kSmallWork / 2, args.dt_raw.cols, 1,
                       [&](Part heads) { kernels_.mamba2_scan(args, heads); });
  }

  void Attention(const AttentionArgs& args) override {
    CheckAttention(args);
    const std::span<const SequenceEntry> sequences = HostEntries(args.sequences);
    for (const SequenceEntry& sequence : sequences) AppendToPages(args, sequence);
    const size_t floats = AttentionScratch::Floats(args), count = sequences.size() * args.kv_heads;
    attention_.resize(std::max(attention_.size(), floats * threads_.size()));
    threads_.Run(args.q.rows * args.q.cols < kSmallWork / 64, [&](size_t share, size_t shares) {
      const Part part = PartOf(count, 1, share, shares);
      const AttentionScratch scratch(args, attention_.data() + share * floats);
      for (size_t i = part.begin; i < part.end; ++i)
        kernels_.attention(args, sequences[i / args.kv_heads], i % args.kv_heads, scratch);
    });
  }

  void Sample(const SampleArgs& args) override {
    kernels::Check(args);
    const size_t rows = args.logits.rows;
    // Nothing is allocated on the threads.
    if (samplers_.size() < std::min(rows, threads_.size()))
      samplers_.resize(std::min(rows, threads_.size()));
    for (RowSampler& sampler : samplers_) sampler.Reserve(args.tokens);
    for (size_t r = 0; r < rows; ++r) {
      args.results[r] = {};
      args.results[r].best.resize(
          std::min<size_t>(args.rows[r].log_probabilities.value_or(0), args.tokens));
    }
    threads_.Run(rows * args.tokens < kSmallWork / 4, [&](size_t share, size_t shares) {
      const Part part = PartOf(rows, 1, share, shares);
      for (size_t r = part.begin; r < part.end; ++r)
        samplers_[shares > rows ? r : share].Choose(
            kernels_, {args.logits.f32() + r * args.logits.stride, args.tokens}, args.rows[r],
            args.results[r]);
    });
  }

 private:
  static void Check(const CausalConvArgs& args) {
    STATELIB_CHECK(args.x.cols == args.out.cols && args.kernel > 0);
  }
  static void Check(const SelectiveScanArgs& args) {
    STATELIB_CHECK(args.x.cols == args.dt.cols && args.x.cols == args.z.cols &&
                   args.b.cols == args.c.cols);
  }
  static bool IsSmall(const SelectiveScanArgs& args) {
    return args.x.rows * args.x.cols * args.b.cols < kSmallWork / 16;
  }
  static bool IsSmallProduct(const Matrix& weights, size_t rows) {
    return rows * weights.rows() * weights.cols() < kSmallWork;
  }

  /// At most kRowsMax rows, which share one pass over the weights. A thread that has computed some
  /// outputs of every row goes on with them by `then`.
  template <typename Then>
  void MatMulPass(const Matrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                  Rows out, bool small, const Then& then) {
    const auto& packed = static_cast<const PackedMatrix&>(weights);
    STATELIB_CHECK(x.cols == packed.cols() && out.cols == packed.rows() && x.rows == out.rows);
    const size_t bytes = PreparedBytes(packed, x.rows);
    if (bytes > prepared_bytes_) {
      prepared_ = AllocateAligned(bytes);
      prepared_bytes_ = bytes;
    }
    if (bytes > 0) {
      threads_.Run(x.rows * x.cols < kSmallWork / 4, [&](size_t share, size_t shares) {
        kernels_.prepare_input(packed.kind(), x, PartOf(x.rows, 1, share, shares), prepared_.get());
      });
    }
    const size_t piece = PiecePanels(packed.panels(), threads_.size());
    threads_.RunPieces(small, packed.panels(), piece, [&](Part panels) {
      {
        std::optional<FlushSubnormals> flush;
        if (packed.kind() == PackedKind::kBF16Pairs) flush.emplace();
        kernels_.mat_mul(packed, bias, x, epilogue, out, panels, prepared_.get());
      }
      then(Part{panels.begin * kPanelWidth, std::min(panels.end * kPanelWidth, out.cols)});
    });
  }

  CpuKernels kernels_;
  ThreadPool threads_;
  std::vector<RowSampler> samplers_;  // for each thread, or row where there are fewer
  std::vector<float> attention_;      // the scratch of each thread
  AlignedBytes prepared_;             // the inputs of a product in its form
  size_t prepared_bytes_ = 0;
};

}  // namespace

std::vector<std::string> CpuTargets() {
  std::vector<std::string> names;
  for (const CpuKernels& kernels : SupportedCpuKernels()) names.emplace_back(kernels.target);
  return names;
}

int UsableProcessors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) return CPU_COUNT(&allowed);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::unique_ptr<Backend> MakeCpuBackend(int threads, std::string_view target) {
  const auto& supported = SupportedCpuKernels();
  const char* forced = std::getenv("STATELIB_CPU_TARGET");
  if (target.empty() && forced != nullptr) target = forced;
  if (target.empty() && supported.empty()) return MakeReferenceBackend();
  const auto found = std::find_if(
      supported.begin(), supported.end(),
      [&](const CpuKernels& kernels) { return target.empty() || kernels.target == target; });
  if (found == supported.end()) {
    throw std::invalid_argument(fmt::format("[cpu] instruction set: got \"{}\", want one of: {}",
                                            target, fmt::join(CpuTargets(), ", ")));
  }
  return std::make_unique<CpuBackend>(*found, threads > 0 ? threads : UsableProcessors());
}

}  // namespace statelib::kernels
