// SPDX-License-Identifier: Apache-2.0
// Attention over pages as AttentionArgs has it, one number at a time.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/check.h"
#include "kernels/exact/math.h"
#include "kernels/host_backend.h"
#include "kernels/host_pages.h"

namespace statelib::kernels {

namespace {

/// One row and head of queries on its way through the pages.
struct Running {
  float largest = 0;
  float sum = 0;
  std::vector<float> values;
};

struct HeadArgs {
  const float* q;
  size_t width, value_width;
  size_t key_column, value_column;  // of the head of keys and values in a page's rows
};

/// Positions [begin, end) of one page, counted from its first.
void AttendPage(const AttentionArgs& args, const HeadArgs& head, const HostPage& page, size_t begin,
                size_t end, bool is_first, Running* running) {
  std::vector<float> weights, key(head.width), value(head.value_width);
  for (size_t j = begin; j < end; ++j) {
    page.Keys(j, head.key_column, head.width, key.data());
    float dot = 0;
    for (size_t i = 0; i < head.width; ++i) dot = std::fma(key[i], head.q[i], dot);
    weights.push_back(args.scale * dot);
  }
  const float largest = *std::max_element(weights.begin(), weights.end());
  Running own{largest, 0, std::vector<float>(head.value_width)};
  for (size_t j = begin; j < end; ++j) {
    const float weight = exact::Exp(weights[j - begin] - largest);
    own.sum += weight;
    page.Values(j, head.value_column, head.value_width, value.data());
    for (size_t i = 0; i < head.value_width; ++i)
      own.values[i] = std::fma(weight, value[i], own.values[i]);
  }
  if (is_first) {
    *running = own;
    return;
  }
  const float both = std::max(running->largest, own.largest);
  const float before = exact::Exp(running->largest - both), now = exact::Exp(own.largest - both);
  running->largest = both;
  running->sum = std::fma(running->sum, before, now * own.sum);
  for (size_t i = 0; i < head.value_width; ++i)
    running->values[i] = std::fma(running->values[i], before, now * own.values[i]);
}

}  // namespace

void HostBackend::Attention(const AttentionArgs& args) {
  CheckAttention(args);
  const size_t width = args.q.cols / args.heads, value_width = args.v.cols / args.kv_heads;
  for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
    AppendToPages(args, sequence);
    for (size_t t = 0; t < sequence.row_count; ++t) {
      const size_t row = sequence.first_row + t, position = sequence.position + t;
      const size_t seen_first = FirstSeen(args, position);
      for (size_t h = 0; h < args.heads; ++h) {
        const size_t kv_head = h / (args.heads / args.kv_heads);
        const HeadArgs head{args.q.f32() + row * args.q.stride + h * width, width, value_width,
                            kv_head * width, kv_head * value_width};
        Running running;
        for (size_t page = seen_first / kPageTokens; page <= position / kPageTokens; ++page) {
          const size_t first = page * kPageTokens;
          AttendPage(args, head, HostPage(args, sequence, page),
                     std::max(seen_first, first) - first,
                     std::min(position + 1, first + kPageTokens) - first,
                     page == seen_first / kPageTokens, &running);
        }
        float* const to = args.out.f32() + row * args.out.stride + h * value_width;
        for (size_t i = 0; i < value_width; ++i) to[i] = running.values[i] / running.sum;
      }
    }
  }
}

}  // namespace statelib::kernels
