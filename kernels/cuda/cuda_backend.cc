// SPDX-License-Identifier: Apache-2.0
// Checks shapes and hands each operation to its launch function. Kernels run in call order on one
// stream; only Upload, Download and Pack wait for it.
#include <fmt/format.h>

#include "kernels/backends.h"
#include "kernels/check.h"
#include "kernels/cuda/device_transfer.h"
#include "kernels/cuda/launches.h"
#include "kernels/cuda/sample.h"
#include "kernels/cuda/tensor_product.h"
#include "kernels/row_reader.h"

namespace statelib::kernels {

namespace {

using cuda::CheckCuda;
using cuda::DeviceMatrix;

const DeviceMatrix& Own(const Matrix& matrix) { return static_cast<const DeviceMatrix&>(matrix); }

cudaDeviceProp PropertiesOf(int device) {
  cudaDeviceProp properties{};
  CheckCuda(cudaGetDeviceProperties(&properties, device), "device properties");
  return properties;
}

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(const cudaDeviceProp& device)
      : name_(fmt::format("cuda {}", device.name)),
        multiprocessors_(static_cast<size_t>(device.multiProcessorCount)) {}

  std::string name() const override { return name_; }
  size_t rows_preferred() const override { return 1024; }
  std::string ProfileOf(const ProfileRequest& request) const override {
    const bool is_exact = request.format == WeightFormat::kF32 ||
                          (request.format == WeightFormat::kStored && !request.has_blocks);
    return is_exact ? BaseProfile("exact-f32-r1", request) : std::string();
  }

  Buffer Allocate(size_t elements, DType dtype) override {
    const size_t bytes = elements * SizeOf(dtype);
    return Buffer(cuda::AllocateDevice(bytes).release(), bytes, dtype,
                  [](std::byte* to_free) { cuda::DeviceDelete()(to_free); });
  }
  void UploadBytes(std::span<const std::byte> from_host, std::byte* to) override {
    CheckCuda(cudaMemcpy(to, from_host.data(), from_host.size(), cudaMemcpyHostToDevice), "upload");
  }
  void DownloadBytes(const std::byte* from, std::span<std::byte> to_host) override {
    CheckCuda(cudaMemcpy(to_host.data(), from, to_host.size(), cudaMemcpyDeviceToHost), "download");
  }
  std::unique_ptr<Transfer> BeginDownload(const std::byte* from,
                                          std::span<std::byte> to_host) override {
    return downloads_.Begin(from, to_host);
  }
  void CopyBytes(const std::byte* from, std::byte* to, size_t bytes) override {
    CheckCuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, cuda::kStream), "copy");
  }
  void ZeroBytes(std::byte* to, size_t bytes) override {
    CheckCuda(cudaMemsetAsync(to, 0, bytes, cuda::kStream), "zero");
  }

  std::unique_ptr<Matrix> Pack(const WeightView& weights, WeightFormat format) override {
    const WeightType held = HeldType(weights.type, format);
    if (IsBlockType(held) || format == WeightFormat::kBF16) {
      throw DeviceError(
          DeviceError::Kind::kUnsupported,
          fmt::format(
              "[cuda] weights of type {} in format {}: this backend multiplies f32, bf16 and "
              "f16 with f32 inputs alone; take the format f32 or the cpu backend",
              NameOf(weights.type), NameOf(format)));
    }
    if (held == weights.type) return std::make_unique<DeviceMatrix>(weights);
    std::vector<float> values;
    values.reserve(weights.rows * weights.cols);
    RowReader reader(weights, format);
    for (size_t r = 0; r < weights.rows; ++r) {
      const std::span<const float> row = reader.Values(r);
      values.insert(values.end(), row.begin(), row.end());
    }
    const WeightView decoded{reinterpret_cast<const std::byte*>(values.data()), WeightType::kF32,
                             weights.rows, weights.cols};
    return std::make_unique<DeviceMatrix>(decoded);
  }

  void Embed(const Matrix& table, const int32_t* ids, Rows out) override {
    STATELIB_CHECK(out.cols == table.cols());
    if (out.rows > 0) cuda::LaunchEmbed(Own(table), ids, out);
  }

  void RmsNorm(ConstRows x, const float* weight, float epsilon, Rows out) override {
    STATELIB_CHECK(x.cols == out.cols && x.rows == out.rows);
    if (x.rows > 0) cuda::LaunchRmsNorm(x, weight, epsilon, out);
  }

  void RmsNormLast(ConstRows x, const float* weight, float epsilon, const SequenceTable& sequences,
                   size_t state, size_t) override {
    if (sequences.count > 0) cuda::LaunchRmsNormLast(x, weight, epsilon, sequences, state);
  }

  void GatherState(const SequenceTable& sequences, size_t state, Rows out) override {
    STATELIB_CHECK(out.rows == sequences.count);
    if (sequences.count > 0) cuda::LaunchGatherState(sequences, state, out);
  }

  void MatMul(const Matrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
              Rows out) override {
    STATELIB_CHECK(x.cols == weights.cols() && out.cols == weights.rows() && x.rows == out.rows);
    if (x.rows > 0) cuda::LaunchMatMul(Own(weights), bias, x, epilogue, out, multiprocessors_);
  }

  void CausalConv(const CausalConvArgs& args) override {
    STATELIB_CHECK(args.x.cols == args.out.cols && args.kernel > 0);
    if (args.sequences.count > 0) cuda::LaunchCausalConv(args);
  }

  void SelectiveScan(const SelectiveScanArgs& args) override {
    STATELIB_CHECK(args.x.cols == args.dt.cols && args.x.cols == args.z.cols &&
                   args.x.cols == args.y.cols && args.b.cols == args.c.cols);
    if (args.sequences.count > 0) cuda::LaunchSelectiveScan(args);
  }

  void Mamba2Scan(const Mamba2ScanArgs& args) override {
    STATELIB_CHECK(args.x.cols % args.dt_raw.cols == 0 && args.dt_raw.cols % args.groups == 0);
    STATELIB_CHECK(args.b.cols == args.c.cols && args.b.cols % args.groups == 0);
    if (args.z.data == nullptr || args.d == nullptr) {
      throw DeviceError(DeviceError::Kind::kUnsupported,
                        "[cuda] Mamba-2's scan without its gate or its skip: take the cpu backend");
    }
    STATELIB_CHECK(args.x.cols == args.z.cols && args.x.cols == args.y.cols);
    if (args.sequences.count > 0) cuda::LaunchMamba2Scan(args);
  }

  void Sample(const SampleArgs& args) override {
    if (!has_hopper_code_ || !cuda::Sampler::Takes(args)) return Backend::Sample(args);
    Check(args);
    if (!args.rows.empty()) sampler_.Sample(args, multiprocessors_);
  }

 private:
  std::string name_;
  size_t multiprocessors_;
  const bool has_hopper_code_ = cuda::HasTensorCodeForDevice();
  cuda::Sampler sampler_;
  cuda::Downloads downloads_;
};

/// Memory that buffers give back stays with the process, or each of a model's many small
/// allocations would be one of the driver's.
void KeepReleasedMemory(int device) {
  cudaMemPool_t pool = nullptr;
  CheckCuda(cudaDeviceGetDefaultMemPool(&pool, device), "memory pool");
  uint64_t threshold_bytes = UINT64_MAX;
  CheckCuda(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold_bytes),
            "memory pool");
}

}  // namespace

std::vector<std::string> CudaDevices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) return {};
  std::vector<std::string> names;
  for (int device = 0; device < count; ++device) names.emplace_back(PropertiesOf(device).name);
  return names;
}

std::unique_ptr<Backend> MakeCudaBackend() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    throw DeviceError(
        DeviceError::Kind::kUnsupported,
        fmt::format("[cuda] device: want an NVIDIA GPU and its driver, got \"{}\"; take the cpu "
                    "backend here",
                    status != cudaSuccess ? cudaGetErrorString(status) : "no device"));
  }
  constexpr int kDevice = 0;
  const cudaDeviceProp device = PropertiesOf(kDevice);
  if (!cuda::HasCodeForDevice()) {
    throw DeviceError(
        DeviceError::Kind::kUnsupported,
        fmt::format(
            "[cuda] device: this build has no code for {} (compute capability {}.{}); build with "
            "-DCMAKE_CUDA_ARCHITECTURES={}{}",
            device.name, device.major, device.minor, device.major, device.minor));
  }
  KeepReleasedMemory(kDevice);
  return std::make_unique<CudaBackend>(device);
}

}  // namespace statelib::kernels
