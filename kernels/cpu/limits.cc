// SPDX-License-Identifier: Apache-2.0
// Loops that do nothing but multiply, or nothing but read. Compiled with -ffp-contract=fast: their
// numbers are thrown away.
#include "kernels/limits.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "kernels/aligned.h"
#include "kernels/cpu/thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace statelib::kernels {

namespace {

constexpr size_t kChains = 12;  // independent sums, enough to hide the latency of an operation
constexpr size_t kRounds = 1000000;

/// One loop: does its rounds and returns the multiply-adds; `sink` keeps the compiler from leaving
/// them out.
using MultiplyLoop = size_t (*)(float* sink);
using ReadLoop = void (*)(const std::byte* from, size_t bytes, std::byte* sink);

template <size_t kBytes>
struct VectorOf {
  typedef float Floats __attribute__((vector_size(kBytes)));
  typedef uint64_t Words __attribute__((vector_size(kBytes)));
};

// A macro, for a template cannot be given to one instruction set.
#define STATELIB_LOOPS(name, attribute, bytes)                                      \
  attribute size_t Multiply##name(float* sink) {                                    \
    using V = VectorOf<bytes>::Floats;                                              \
    V sums[kChains];                                                                \
    for (size_t c = 0; c < kChains; ++c) sums[c] = V{} + static_cast<float>(c);     \
    const V factor = V{} + 0.999f, addend = V{} + 0.001f;                           \
    for (size_t i = 0; i < kRounds; ++i) {                                          \
      _Pragma("GCC unroll 12") for (size_t c = 0; c < kChains; ++c) sums[c] =       \
          sums[c] * factor + addend;                                                \
    }                                                                               \
    for (size_t c = 1; c < kChains; ++c) sums[0] += sums[c];                        \
    *sink = sums[0][0];                                                             \
    return kRounds * kChains * bytes / sizeof(float);                               \
  }                                                                                 \
  attribute void Read##name(const std::byte* from, size_t size, std::byte* sink) {  \
    using V = VectorOf<bytes>::Words;                                               \
    V sums[8] = {};                                                                 \
    for (size_t i = 0; i + sizeof(sums) <= size; i += sizeof(sums)) {               \
      const V* vectors = reinterpret_cast<const V*>(from + i);                      \
      _Pragma("GCC unroll 8") for (size_t c = 0; c < 8; ++c) sums[c] += vectors[c]; \
    }                                                                               \
    for (size_t c = 1; c < 8; ++c) sums[0] += sums[c];                              \
    *sink = static_cast<std::byte>(sums[0][0]);                                     \
  }

STATELIB_LOOPS(Plain, , 16)

#if defined(__x86_64__)
STATELIB_LOOPS(Avx2, __attribute__((target("avx2,fma"))), 32)
STATELIB_LOOPS(Avx512, __attribute__((target("avx512f"))), 64)

__attribute__((target("avx512f,avx512bf16"))) size_t MultiplyAvx512Bf16(float* sink) {
  __m512 sums[kChains];
  for (auto& sum : sums) sum = _mm512_set1_ps(1.0f);
  const auto pairs = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3c00));
  for (size_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (size_t c = 0; c < kChains; ++c) sums[c] = _mm512_dpbf16_ps(sums[c], pairs, pairs);
  }
  for (size_t c = 1; c < kChains; ++c) sums[0] = _mm512_add_ps(sums[0], sums[c]);
  *sink = _mm512_cvtss_f32(sums[0]);
  return kRounds * kChains * 32;
}

__attribute__((target("avx512f,avx512vnni"))) size_t MultiplyAvx512Int8(float* sink) {
  __m512i sums[kChains];
  for (auto& sum : sums) sum = _mm512_set1_epi32(1);
  const __m512i left = _mm512_set1_epi32(0x01020304), right = _mm512_set1_epi32(0x04030201);
  for (size_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (size_t c = 0; c < kChains; ++c) sums[c] = _mm512_dpbusd_epi32(sums[c], left, right);
  }
  for (size_t c = 1; c < kChains; ++c) sums[0] = _mm512_add_epi32(sums[0], sums[c]);
  *sink = static_cast<float>(_mm512_cvtsi512_si32(sums[0]));
  return kRounds * kChains * 64;
}

// Without a dot product of bytes: pairs to 16 bits, pairs of those to 32, and the sum.
__attribute__((target("avx2"))) size_t MultiplyAvx2Int8(float* sink) {
  __m256i sums[kChains];
  for (auto& sum : sums) sum = _mm256_set1_epi32(1);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i left = _mm256_set1_epi32(0x01020304), right = _mm256_set1_epi32(0x04030201);
  for (size_t i = 0; i < kRounds; ++i) {
    asm volatile("" : "+x"(left), "+x"(right));  // or the products leave the loop
#pragma GCC unroll 12
    for (size_t c = 0; c < kChains; ++c) {
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_add_epi8(left, sums[c]), right);
      sums[c] = _mm256_add_epi32(sums[c], _mm256_madd_epi16(pairs, ones));
    }
  }
  for (size_t c = 1; c < kChains; ++c) sums[0] = _mm256_add_epi32(sums[0], sums[c]);
  *sink = static_cast<float>(_mm256_extract_epi32(sums[0], 0));
  return kRounds * kChains * 32;
}
#endif

MultiplyLoop MultiplyLoopOf([[maybe_unused]] Arithmetic arithmetic) {
#if defined(__x86_64__)
  const bool avx512 = __builtin_cpu_supports("avx512f");
  if (arithmetic == Arithmetic::kBF16 && __builtin_cpu_supports("avx512bf16"))
    return MultiplyAvx512Bf16;
  if (arithmetic == Arithmetic::kInt8) {
    if (avx512 && __builtin_cpu_supports("avx512vnni")) return MultiplyAvx512Int8;
    if (__builtin_cpu_supports("avx2")) return MultiplyAvx2Int8;
  }
  if (avx512) return MultiplyAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return MultiplyAvx2;
#endif
  return MultiplyPlain;
}

ReadLoop ReadLoopOfMachine() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return ReadAvx512;
  if (__builtin_cpu_supports("avx2")) return ReadAvx2;
#endif
  return ReadPlain;
}

/// The median rate of several passes of `pass`, which returns the work it did: what lasts, where a
/// shared machine's best moments do not.
template <typename Pass>
double MedianRate(int passes, const Pass& pass) {
  std::vector<double> rates;
  for (int i = 0; i < passes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const double work = pass();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    rates.push_back(work / took.count());
  }
  const auto middle = rates.begin() + passes / 2;
  std::nth_element(rates.begin(), middle, rates.end());
  return *middle;
}

}  // namespace

double MeasureMultiplyAddsPerSecond(Arithmetic arithmetic, int threads) {
  ThreadPool pool(threads);
  const MultiplyLoop loop = MultiplyLoopOf(arithmetic);
  return MedianRate(8, [&] {
    size_t done = 0;
    pool.Run(false, [&](size_t share, size_t) {
      float sink;
      const size_t count = loop(&sink);
      if (share == 0) done = count;
    });
    return static_cast<double>(done * pool.size());
  });
}

double MeasureReadBytesPerSecond(int threads, size_t bytes) {
  constexpr size_t kBlock = 4096, kBytesToRead = size_t{6} << 30;
  ThreadPool pool(threads);
  const ReadLoop loop = ReadLoopOfMachine();
  const size_t size = std::max(bytes / kBlock, size_t{1}) * kBlock;
  const AlignedBytes memory = AllocateAligned(size);
  std::memset(memory.get(), 1, size);
  const auto passes = static_cast<int>(std::clamp<size_t>(kBytesToRead / size, 5, 200));
  return MedianRate(passes, [&] {
    pool.Run(false, [&](size_t share, size_t shares) {
      std::byte sink;
      const Part part = PartOf(size, kBlock, share, shares);
      loop(memory.get() + part.begin, part.end - part.begin, &sink);
    });
    return static_cast<double>(size);
  });
}

}  // namespace statelib::kernels
