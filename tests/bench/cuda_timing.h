// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_BENCH_CUDA_TIMING_H_
#define STATELIB_TESTS_BENCH_CUDA_TIMING_H_

#include <cuda_runtime_api.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "kernels/cuda/device.h"

/// How the benchmarks of single kernels take time: calls queued as a graph, medians of a few runs.
namespace statelib::kernels::cuda {

inline constexpr int kSamples = 7;
// In one graph about so long, so that what a launch of the graph costs does not count.
inline constexpr double kGraphSeconds = 3e-3;
inline constexpr double kNever = 1e9;

inline cudaStream_t Stream() {
  static const cudaStream_t stream = [] {
    cudaStream_t made = nullptr;
    CheckCuda(cudaStreamCreate(&made), "stream");
    return made;
  }();
  return stream;
}

using Call = std::function<bool(size_t i)>;  // false: cannot

/// Some calls queued as a graph.
class CallGraph {
 public:
  CallGraph(const Call& call, size_t count) : count_(count) {
    cudaGraph_t graph = nullptr;
    CheckCuda(cudaStreamBeginCapture(Stream(), cudaStreamCaptureModeThreadLocal), "capture");
    for (size_t i = 0; i < count; ++i) can_ = call(i) && can_;
    CheckCuda(cudaStreamEndCapture(Stream(), &graph), "capture");
    CheckCuda(cudaGraphInstantiate(&runnable_, graph, 0), "graph");
    cudaGraphDestroy(graph);
    CheckCuda(cudaEventCreate(&begin_), "event");
    CheckCuda(cudaEventCreate(&end_), "event");
  }
  ~CallGraph() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
    cudaGraphExecDestroy(runnable_);
  }
  CallGraph(const CallGraph&) = delete;
  CallGraph& operator=(const CallGraph&) = delete;

  /// Seconds of one call.
  double Run() {
    if (!can_) return kNever;
    float ms = 0;
    CheckCuda(cudaEventRecord(begin_, Stream()), "event");
    CheckCuda(cudaGraphLaunch(runnable_, Stream()), "graph");
    CheckCuda(cudaEventRecord(end_, Stream()), "event");
    CheckCuda(cudaEventSynchronize(end_), "run");
    CheckCuda(cudaEventElapsedTime(&ms, begin_, end_), "event");
    return ms * 1e-3 / static_cast<double>(count_);
  }

 private:
  size_t count_;
  bool can_ = true;
  cudaGraphExec_t runnable_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

/// Median seconds of one of each call. The calls take turns, so that the card's clock, which falls
/// under load, is the same for all.
inline std::vector<double> SecondsOf(const std::vector<Call>& calls) {
  std::vector<std::unique_ptr<CallGraph>> graphs;
  for (const Call& call : calls) {
    const double once = std::max(CallGraph(call, 2).Run(), 1e-6);
    graphs.push_back(std::make_unique<CallGraph>(
        call,
        once < kNever ? static_cast<size_t>(std::clamp(kGraphSeconds / once, 2.0, 400.0)) : 1));
  }
  std::vector<std::vector<double>> seconds(calls.size());
  for (int sample = 0; sample <= kSamples; ++sample) {
    for (size_t i = 0; i < calls.size(); ++i) {
      const double one = graphs[i]->Run();
      if (sample > 0) seconds[i].push_back(one);
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& of_call : seconds) {
    std::nth_element(of_call.begin(), of_call.begin() + kSamples / 2, of_call.end());
    medians.push_back(of_call[kSamples / 2]);
  }
  return medians;
}

/// bf16 numbers of a normal distribution.
inline DeviceBytes Random(size_t elements, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<uint16_t> values(std::min<size_t>(elements, size_t{1} << 22));
  std::normal_distribution<float> normal;
  for (uint16_t& value : values) {
    value = static_cast<uint16_t>(std::bit_cast<uint32_t>(normal(engine)) >> 16);
  }
  DeviceBytes bytes = AllocateDevice(elements * 2);
  for (size_t at = 0; at < elements; at += values.size()) {
    CheckCuda(cudaMemcpy(bytes.get() + at * 2, values.data(),
                         std::min(values.size(), elements - at) * 2, cudaMemcpyHostToDevice),
              "upload");
  }
  return bytes;
}

inline constexpr size_t kBeyondCaches = size_t{160} << 20;

/// What the card can do.
struct Limits {
  double copy_bytes, exponentials, tensor_operations;  // a second
  size_t multiprocessors;
};

/// The copy measured, the others at the card's highest clock.
inline Limits Measure() {
  constexpr size_t kBytes = size_t{1} << 30;
  const DeviceBytes from = Random(kBytes / 2, 1), to = AllocateDevice(kBytes);
  const double seconds = SecondsOf({[&](size_t) {
    return cudaMemcpyAsync(to.get(), from.get(), kBytes, cudaMemcpyDeviceToDevice, Stream()) ==
           cudaSuccess;
  }})[0];
  int khz = 0, multiprocessors = 0;
  CheckCuda(cudaDeviceGetAttribute(&khz, cudaDevAttrClockRate, 0), "clock");
  CheckCuda(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0), "device");
  const double cycles = 1e3 * khz * multiprocessors;
  return {2 * kBytes / seconds, 16 * cycles, 4096 * cycles, static_cast<size_t>(multiprocessors)};
}

/// Numbers from low to high.
inline DeviceBytes Uniform(size_t elements, float low, float high) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(std::min<size_t>(elements, size_t{1} << 20));
  for (float& value : values) value = uniform(engine);
  DeviceBytes bytes = AllocateDevice(elements * sizeof(float));
  for (size_t at = 0; at < elements; at += values.size()) {
    CheckCuda(
        cudaMemcpy(bytes.get() + at * sizeof(float), values.data(),
                   std::min(values.size(), elements - at) * sizeof(float), cudaMemcpyHostToDevice),
        "upload");
  }
  return bytes;
}
inline const float* Floats(const DeviceBytes& bytes) {
  return reinterpret_cast<const float*>(bytes.get());
}
inline uint16_t* Halves(const DeviceBytes& bytes) {
  return reinterpret_cast<uint16_t*>(bytes.get());
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_TESTS_BENCH_CUDA_TIMING_H_
