// SPDX-License-Identifier: Apache-2.0
// The tensor-core product at the sizes of Mamba's 130m, 1.4b and 2.8b, beside cuBLASLt in the same
// process (the fastest of the algorithms that it proposes) and the card's own limits: the rate of a
// large copy and cuBLASLt's product of 8192 x 8192 x 8192. Weights are taken in turn from copies
// that exceed every cache, calls queued as a CUDA graph; medians. bf16 results. Run:
// statelib_tensor_bench [in_proj_2.8b ...]
#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/tensor_product.h"
#include "tests/bench/cuda_timing.h"

namespace statelib::kernels::cuda {
namespace {

constexpr size_t kBeyondCaches = size_t{160} << 20;
constexpr size_t kWorkspaceBytes = size_t{64} << 20;
// A chain longer than any product: one uninterrupted sum.
constexpr size_t kWhole = size_t{1} << 20;

void CheckBlas(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(fmt::format("cublasLt: {}", cublasLtGetStatusString(status)));
}

/// out [rows, outputs] = x [rows, inputs] · weights [outputs, inputs]ᵀ by cuBLASLt.
class BlasProduct {
 public:
  BlasProduct(size_t rows, size_t outputs, size_t inputs)
      : workspace_(AllocateDevice(kWorkspaceBytes)) {
    CheckBlas(cublasLtMatmulDescCreate(&product_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    const cublasOperation_t transposed = CUBLAS_OP_T;
    CheckBlas(cublasLtMatmulDescSetAttribute(product_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                             sizeof transposed));
    CheckBlas(cublasLtMatrixLayoutCreate(&w_, CUDA_R_16BF, inputs, outputs,
                                         static_cast<int64_t>(inputs)));
    CheckBlas(
        cublasLtMatrixLayoutCreate(&x_, CUDA_R_16BF, inputs, rows, static_cast<int64_t>(inputs)));
    CheckBlas(cublasLtMatrixLayoutCreate(&out_, CUDA_R_16BF, outputs, rows,
                                         static_cast<int64_t>(outputs)));
    cublasLtMatmulPreference_t preference = nullptr;
    CheckBlas(cublasLtMatmulPreferenceCreate(&preference));
    CheckBlas(cublasLtMatmulPreferenceSetAttribute(preference,
                                                   CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                   &kWorkspaceBytes, sizeof kWorkspaceBytes));
    found_.resize(8);
    int count = 0;
    CheckBlas(cublasLtMatmulAlgoGetHeuristic(Handle(), product_, w_, x_, out_, out_, preference, 8,
                                             found_.data(), &count));
    found_.resize(static_cast<size_t>(count));
    cublasLtMatmulPreferenceDestroy(preference);
  }
  ~BlasProduct() {
    cublasLtMatrixLayoutDestroy(w_);
    cublasLtMatrixLayoutDestroy(x_);
    cublasLtMatrixLayoutDestroy(out_);
    cublasLtMatmulDescDestroy(product_);
  }
  BlasProduct(const BlasProduct&) = delete;
  BlasProduct& operator=(const BlasProduct&) = delete;

  size_t algorithms() const { return found_.size(); }
  bool Run(size_t algorithm, const void* w, const void* x, void* out) const {
    const float one = 1, zero = 0;
    return cublasLtMatmul(Handle(), product_, &one, w, w_, x, x_, &zero, out, out_, out, out_,
                          &found_[algorithm].algo, workspace_.get(), kWorkspaceBytes,
                          Stream()) == CUBLAS_STATUS_SUCCESS;
  }

 private:
  static cublasLtHandle_t Handle() {
    static const cublasLtHandle_t handle = [] {
      cublasLtHandle_t made = nullptr;
      CheckBlas(cublasLtCreate(&made));
      return made;
    }();
    return handle;
  }

  DeviceBytes workspace_;
  cublasLtMatmulDesc_t product_ = nullptr;
  cublasLtMatrixLayout_t w_ = nullptr, x_ = nullptr, out_ = nullptr;
  std::vector<cublasLtMatmulHeuristicResult_t> found_;
};

struct Size {
  std::string name;
  size_t inputs, outputs;
};

struct Limits {
  double copy_bytes, product_flops;  // a second
};

/// The weights of one size, as often as it takes to exceed every cache.
struct Weights {
  explicit Weights(const Size& size) {
    const size_t elements = size.inputs * size.outputs;
    std::vector<uint16_t> host(elements);
    for (size_t i = 0; i < std::clamp<size_t>(kBeyondCaches / (elements * 2), 2, 64); ++i) {
      plain.push_back(Random(elements, static_cast<uint32_t>(i)));
      CheckCuda(cudaMemcpy(host.data(), plain.back().get(), elements * 2, cudaMemcpyDeviceToHost),
                "download");
      tiles.push_back(
          std::make_unique<TensorMatrix>(WeightView{reinterpret_cast<const std::byte*>(host.data()),
                                                    WeightType::kBF16, size.outputs, size.inputs}));
    }
  }
  std::vector<DeviceBytes> plain;
  std::vector<std::unique_ptr<TensorMatrix>> tiles;
};

/// cuBLASLt's algorithm that is fastest here.
size_t FastestOf(const BlasProduct& product, const Weights& weights, const void* x, void* out) {
  std::vector<Call> calls;
  for (size_t algorithm = 0; algorithm < product.algorithms(); ++algorithm) {
    calls.push_back([&, algorithm](size_t i) {
      return product.Run(algorithm, weights.plain[i % weights.plain.size()].get(), x, out);
    });
  }
  const std::vector<double> seconds = SecondsOf(calls);
  return static_cast<size_t>(std::min_element(seconds.begin(), seconds.end()) - seconds.begin());
}

Limits Measure() {
  constexpr size_t kBytes = size_t{1} << 30, kSide = 8192;
  const DeviceBytes from = Random(kBytes / 2, 1), to = AllocateDevice(kBytes);
  const Weights weights(Size{"", kSide, kSide});
  const BlasProduct product(kSide, kSide, kSide);
  const size_t fastest = FastestOf(product, weights, from.get(), to.get());
  const std::vector<double> seconds =
      SecondsOf({[&](size_t) {
                   return cudaMemcpyAsync(to.get(), from.get(), kBytes, cudaMemcpyDeviceToDevice,
                                          Stream()) == cudaSuccess;
                 },
                 [&](size_t i) {
                   return product.Run(fastest, weights.plain[i % 2].get(), from.get(), to.get());
                 }});
  return {2 * kBytes / seconds[0], 2.0 * kSide * kSide * kSide / seconds[1]};
}

void Run(const Size& size, const Limits& limits, size_t multiprocessors) {
  const Weights weights(size);
  constexpr size_t kRowsMax = 16384;
  const DeviceBytes x = Random(kRowsMax * size.inputs, 7),
                    out = AllocateDevice(kRowsMax * size.outputs * 2);
  fmt::print("\n{}: {} inputs, {} outputs\n", size.name, size.inputs, size.outputs);
  fmt::print(
      "{:>5} {:>8} {:>8} {:>8} {:>7} {:>7} {:>8} | {:>7} {:>5} | us: {:>8} {:>8} {:>8} {:>8} {:>8} "
      "{:>8}\n",
      "rows", "us", "blas us", "of blas", "TFLOP/s", "GB/s", "of limit", "chains", "512", "few",
      "few 512", "64x64", "128x64", "128x128", "128x192");
  for (const size_t rows : {1, 8, 16, 64, 128, 256, 512, 1024, 2048, 4096, 16384}) {
    const BlasProduct product(rows, size.outputs, size.inputs);
    const size_t fastest = FastestOf(product, weights, x.get(), out.get());
    const TensorInput in{reinterpret_cast<const uint16_t*>(x.get()), rows, size.inputs,
                         size.inputs};
    const TensorOutput result{out.get(), true, rows, size.outputs, size.outputs};
    const auto matrix = [&](size_t i) -> const TensorMatrix& {
      return *weights.tiles[i % weights.tiles.size()];
    };
    const auto args = [&](size_t i, size_t chain) {
      return TensorProductArgs{matrix(i), nullptr,         in,       Epilogue::kStore,
                               result,    multiprocessors, Stream(), chain};
    };
    const auto by = [&](TensorTile tile, size_t chain = kChainInputs) -> Call {
      return [&, tile, chain](size_t i) {
        LaunchTensorTiles(args(i, chain), tile);
        return true;
      };
    };
    const TensorTile large = rows > 1024 ? TensorTile::k128x192 : TensorTile::k64x64;
    const std::vector<double> s = SecondsOf(
        {[&](size_t i) {
           LaunchTensorProduct(matrix(i), nullptr, in, Epilogue::kStore, result, multiprocessors,
                               Stream());
           return true;
         },
         [&](size_t i) {
           return product.Run(fastest, weights.plain[i % weights.plain.size()].get(), x.get(),
                              out.get());
         },
         [&](size_t i) {
           return rows <= kTensorFewRows && LaunchTensorFewRows(args(i, kChainInputs));
         },
         by(TensorTile::k64x64), by(TensorTile::k128x64), by(TensorTile::k128x128),
         by(TensorTile::k128x192), by(large), by(large, 512), by(large, kWhole),
         [&](size_t i) { return rows <= kTensorFewRows && LaunchTensorFewRows(args(i, 512)); }});
    const double flops = 2.0 * static_cast<double>(rows * size.inputs * size.outputs);
    const double bytes =
        2.0 * static_cast<double>(size.inputs * size.outputs + rows * (size.inputs + size.outputs));
    const double floor = std::max(flops / limits.product_flops, bytes / limits.copy_bytes);
    fmt::print(
        "{:>5} {:>8.2f} {:>8.2f} {:>8.2f} {:>7.1f} {:>7.0f} {:>8.2f} | {:>7.2f} {:>5.2f} |     "
        "{:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f}\n",
        rows, s[0] * 1e6, s[1] * 1e6, s[1] / s[0], flops / s[0] / 1e12, bytes / s[0] / 1e9,
        floor / s[0], s[9] / s[7], s[9] / s[8], s[2] < kNever ? s[2] * 1e6 : 0.0,
        s[10] < kNever ? s[10] * 1e6 : 0.0, s[3] * 1e6, s[4] * 1e6, s[5] * 1e6, s[6] * 1e6);
    std::fflush(stdout);
  }
}

int Main(int argc, char** argv) {
  cudaDeviceProp card{};
  CheckCuda(cudaGetDeviceProperties(&card, 0), "device");
  const Limits limits = Measure();
  fmt::print("{}: copy {:.2f} TB/s, cuBLASLt 8192^3 {:.0f} TFLOP/s\n", card.name,
             limits.copy_bytes / 1e12, limits.product_flops / 1e12);
  const std::vector<Size> sizes = {{"in_proj_130m", 768, 3072},   {"out_proj_130m", 1536, 768},
                                   {"in_proj_1.4b", 2048, 8192},  {"out_proj_1.4b", 4096, 2048},
                                   {"in_proj_2.8b", 2560, 10240}, {"out_proj_2.8b", 5120, 2560},
                                   {"x_proj_2.8b", 5120, 192}};
  for (const Size& size : sizes) {
    if (argc > 1 && std::find(argv + 1, argv + argc, size.name) == argv + argc) continue;
    Run(size, limits, static_cast<size_t>(card.multiProcessorCount));
  }
  return 0;
}

}  // namespace
}  // namespace statelib::kernels::cuda

int main(int argc, char** argv) { return statelib::kernels::cuda::Main(argc, argv); }
