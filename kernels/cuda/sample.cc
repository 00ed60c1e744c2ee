// SPDX-License-Identifier: Apache-2.0
// The host's part of a choice: parameters go to the device in one copy, results come back in one.
#include "kernels/cuda/sample.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "kernels/exact/sample_math.h"

namespace statelib::kernels::cuda {

/// Where everything lies, in bytes; the same on the host and on the device.
struct Sampler::Layout {
  size_t rows, seen, biases, allowed, results, best, end;
  static size_t Align(size_t bytes) { return (bytes + 15) / 16 * 16; }

  explicit Layout(const SampleArgs& args) {
    size_t seen_count = 0, bias_count = 0, words = 0, best_count = 0;
    for (const SampleRow& row : args.rows) {
      seen_count += row.seen.size();
      bias_count += row.biases.size();
      words += row.allowed.size();
      best_count += std::min<size_t>(row.log_probabilities.value_or(0), args.tokens);
    }
    rows = 0;
    seen = Align(args.rows.size() * sizeof(DeviceSampleRow));
    biases = Align(seen + seen_count * sizeof(SeenToken));
    allowed = Align(biases + bias_count * sizeof(TokenBias));
    results = Align(allowed + words * sizeof(uint32_t));
    best = Align(results + args.rows.size() * sizeof(DeviceSampleResult));
    end = Align(best + best_count * sizeof(DeviceBestToken));
  }
};

namespace {

template <typename Element>
Element* At(std::byte* memory, size_t offset) {
  return reinterpret_cast<Element*>(memory + offset);
}

/// Appends a list to its array; returns where it begins.
template <typename Element>
uint32_t Append(std::span<const Element> list, Element* array, uint32_t& count) {
  std::copy(list.begin(), list.end(), array + count);
  const uint32_t begin = count;
  count += static_cast<uint32_t>(list.size());
  return begin;
}

SampleResult ResultOf(const DeviceSampleResult& found, DeviceBestToken* best, bool wants_log) {
  SampleResult result;
  result.id = found.id;
  if (found.id < 0 || !wants_log) return result;
  const auto value = [&](float logit) {
    return exact::LogProbability(logit, found.largest, found.total);
  };
  result.log_probability = value(found.logit);
  std::sort(best, best + found.best_count, [](const auto& a, const auto& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  });
  for (uint32_t i = 0; i < found.best_count; ++i)
    result.best.push_back({best[i].id, value(best[i].logit)});
  return result;
}

}  // namespace

bool Sampler::Takes(const SampleArgs& args) {
  if (args.tokens > kSampleKernelTokensMax) return false;
  return std::all_of(args.rows.begin(), args.rows.end(), [&](const SampleRow& row) {
    return std::min<size_t>(row.log_probabilities.value_or(0), args.tokens) <= kBestMax;
  });
}

void Sampler::Reserve(size_t bytes) {
  if (bytes <= bytes_) return;
  bytes = std::max(bytes, 2 * bytes_);
  void* host = nullptr;
  CheckCuda(cudaMallocHost(&host, bytes), "pinned memory");
  host_.reset(static_cast<std::byte*>(host));
  device_ = AllocateDevice(bytes);
  bytes_ = bytes;
}

void Sampler::Sample(const SampleArgs& args, size_t multiprocessors) {
  const Layout layout(args);
  Reserve(layout.end);
  std::byte* const host = host_.get();
  uint32_t seen = 0, biases = 0, words = 0, best = 0;
  for (size_t r = 0; r < args.rows.size(); ++r) {
    const SampleRow& row = args.rows[r];
    DeviceSampleRow& to = At<DeviceSampleRow>(host, layout.rows)[r];
    to = {.temperature = row.temperature,
          .top_k = row.top_k,
          .top_p = row.top_p,
          .least_weight = exact::LeastWeight(row.min_p),
          .seed = row.seed,
          .position = row.position,
          .repetition_penalty = row.repetition_penalty,
          .presence_penalty = row.presence_penalty,
          .frequency_penalty = row.frequency_penalty,
          .seen_begin = Append(row.seen, At<SeenToken>(host, layout.seen), seen),
          .seen_end = seen,
          .bias_begin = Append(row.biases, At<TokenBias>(host, layout.biases), biases),
          .bias_end = biases,
          .allowed_begin = Append(row.allowed, At<uint32_t>(host, layout.allowed), words),
          .is_masked = row.allowed.empty() ? 0u : 1u,
          .wants_log = row.log_probabilities ? 1u : 0u,
          .best_begin = best,
          .best_count = static_cast<uint32_t>(
              std::min<size_t>(row.log_probabilities.value_or(0), args.tokens))};
    best += to.best_count;
  }
  std::byte* const device = device_.get();
  CheckCuda(cudaMemcpyAsync(device, host, layout.results, cudaMemcpyHostToDevice, kStream),
            "sample");
  LaunchSample({.logits = args.logits.f32(),
                .stride = args.logits.stride,
                .tokens = static_cast<unsigned>(args.tokens),
                .row_count = static_cast<unsigned>(args.rows.size()),
                .rows = At<DeviceSampleRow>(device, layout.rows),
                .seen = At<SeenToken>(device, layout.seen),
                .biases = At<TokenBias>(device, layout.biases),
                .allowed = At<uint32_t>(device, layout.allowed),
                .results = At<DeviceSampleResult>(device, layout.results),
                .best = At<DeviceBestToken>(device, layout.best)},
               multiprocessors, kStream);
  CheckCuda(cudaMemcpyAsync(host + layout.results, device + layout.results,
                            layout.end - layout.results, cudaMemcpyDeviceToHost, kStream),
            "sample");
  CheckCuda(cudaStreamSynchronize(kStream), "sample");
  for (size_t r = 0; r < args.rows.size(); ++r) {
    const DeviceSampleRow& row = At<DeviceSampleRow>(host, layout.rows)[r];
    args.results[r] =
        ResultOf(At<DeviceSampleResult>(host, layout.results)[r],
                 At<DeviceBestToken>(host, layout.best) + row.best_begin, row.wants_log != 0);
  }
}

}  // namespace statelib::kernels::cuda
