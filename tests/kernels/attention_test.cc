// SPDX-License-Identifier: Apache-2.0
// Attention over pages on every backend that has it: against the formula in double precision, and
// bit by bit against the reference.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/host_pages.h"
#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"

namespace statelib::kernels {
namespace {

struct Shape {
  size_t heads, kv_heads, width, value_width, window;
  DType dtype = DType::kF32;
};

/// Positions that rows of three sequences begin at, and how many rows each has.
struct Ragged {
  std::vector<size_t> positions, rows;
  size_t total() const { return std::accumulate(rows.begin(), rows.end(), size_t{0}); }
};
const Ragged kRagged = {{0, 200, 255}, {5, 90, 3}};

/// Keys, values and queries of whole sequences; the rows of a pass are the last ones.
struct Tokens {
  Tokens(const Shape& shape, const Ragged& ragged, Numbers& numbers) {
    for (size_t s = 0; s < ragged.rows.size(); ++s) {
      const size_t count = ragged.positions[s] + ragged.rows[s];
      q.push_back(numbers.Make(count * shape.heads * shape.width));
      k.push_back(numbers.Make(count * shape.kv_heads * shape.width));
      v.push_back(numbers.Make(count * shape.kv_heads * shape.value_width));
    }
  }
  std::vector<std::vector<float>> q, k, v;  // of each sequence
};

class AttentionTest : public BackendTest {
 protected:
  void SetUp() override {
    if (!backend_->Supports(Operation::kAttention)) GTEST_SKIP() << "no attention there";
  }
};

INSTANTIATE_TEST_SUITE_P(All, AttentionTest, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

/// Sequences with pages in a backend's memory, read in one or several passes.
class Pages {
 public:
  Pages(Backend& backend, const Shape& shape, const Tokens& tokens, const Ragged& ragged)
      : backend_(backend), shape_(shape), tokens_(tokens), ragged_(ragged) {
    const size_t page_floats = kPageTokens * shape.kv_heads * (shape.width + shape.value_width);
    for (size_t s = 0; s < ragged.rows.size(); ++s) {
      const size_t last = ragged.positions[s] + ragged.rows[s] - 1;
      stride_ = std::max(stride_, last / kPageTokens + 1);
    }
    for (size_t i = 0; i < ragged.rows.size() * stride_; ++i)
      memory_.push_back(backend.Allocate(page_floats));
  }

  /// The outputs of `rows` rows of each sequence from `positions` on.
  std::vector<float> Attend(const std::vector<size_t>& positions, const std::vector<size_t>& rows) {
    const size_t total = std::accumulate(rows.begin(), rows.end(), size_t{0});
    std::vector<float> q, k, v;
    std::vector<SequenceEntry> entries;
    std::vector<std::byte*> pages;
    for (Buffer& page : memory_) pages.push_back(page.bytes());
    Buffer pages_there = Bring(std::as_bytes(std::span(pages)));
    SequenceTable table;
    for (size_t s = 0; s < rows.size(); ++s) {
      Append(tokens_.q[s], shape_.heads * shape_.width, positions[s], rows[s], &q);
      Append(tokens_.k[s], shape_.kv_heads * shape_.width, positions[s], rows[s], &k);
      Append(tokens_.v[s], shape_.kv_heads * shape_.value_width, positions[s], rows[s], &v);
      SequenceEntry entry;
      entry.first_row = static_cast<uint32_t>(table.rows);
      entry.row_count = static_cast<uint32_t>(rows[s]);
      entry.position = positions[s];
      entry.pages = reinterpret_cast<std::byte* const*>(pages_there.bytes()) + s * stride_;
      entries.push_back(entry);
      table.rows += rows[s];
      table.rows_longest = std::max(table.rows_longest, rows[s]);
    }
    Buffer entries_there = Bring(std::as_bytes(std::span(entries)));
    table.entries = reinterpret_cast<const SequenceEntry*>(entries_there.bytes());
    table.count = rows.size();
    table.page_stride = stride_;
    const size_t queries = shape_.heads * shape_.width, keys = shape_.kv_heads * shape_.width,
                 values = shape_.kv_heads * shape_.value_width,
                 outputs = shape_.heads * shape_.value_width;
    Buffer qb = ToBackend(backend_, q), kb = ToBackend(backend_, k), vb = ToBackend(backend_, v),
           out = backend_.Allocate(total * outputs);
    backend_.Attention({Rows{qb.data(), total, queries, queries},
                        Rows{kb.data(), total, keys, keys},
                        Rows{vb.data(), total, values, values},
                        shape_.heads,
                        shape_.kv_heads,
                        Scale(),
                        shape_.window,
                        table,
                        0,
                        0,
                        kPageTokens * keys * sizeof(float),
                        shape_.dtype,
                        {out.data(), total, outputs, outputs}});
    return ToHost(backend_, out);
  }
  float Scale() const { return 1.0f / std::sqrt(static_cast<float>(shape_.width)); }

 private:
  static void Append(const std::vector<float>& from, size_t width, size_t row, size_t rows,
                     std::vector<float>* to) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * width);
    to->insert(to->end(), begin, begin + static_cast<std::ptrdiff_t>(rows * width));
  }
  Buffer Bring(std::span<const std::byte> bytes) {
    Buffer buffer = backend_.Allocate(bytes.size() / sizeof(float) + 1);
    backend_.UploadBytes(bytes, buffer.bytes());
    return buffer;
  }

  Backend& backend_;
  Shape shape_;
  const Tokens& tokens_;
  Ragged ragged_;
  size_t stride_ = 0;
  std::vector<Buffer> memory_;  // [sequences][stride_]
};

/// All positions, those before the last rows in calls of 64.
std::vector<float> AttendAll(Backend& backend, const Shape& shape, const Tokens& tokens,
                             const Ragged& ragged) {
  Pages pages(backend, shape, tokens, ragged);
  for (size_t s = 0; s < ragged.rows.size(); ++s) {
    for (size_t done = 0; done < ragged.positions[s]; done += 64) {
      std::vector<size_t> positions = ragged.positions, rows(ragged.rows.size(), 0);
      // One sequence at a time: the others have a row that is computed again later.
      positions.assign(ragged.rows.size(), 0);
      rows.assign(ragged.rows.size(), 1);
      positions[s] = done;
      rows[s] = std::min<size_t>(64, ragged.positions[s] - done);
      pages.Attend(positions, rows);
    }
  }
  return pages.Attend(ragged.positions, ragged.rows);
}

const std::vector<Shape> kShapes = {{1, 1, 1, 1, 0},
                                    {4, 2, 20, 20, 0},
                                    {6, 1, 33, 17, 40},
                                    {2, 2, 16, 16, 1},
                                    {4, 4, 8, 24, 256},
                                    {8, 2, 64, 64, 300},
                                    {4, 2, 20, 20, 0, DType::kBF16}};

TEST_P(AttentionTest, HasTheBitsOfTheReference) {
  Numbers numbers(31);
  for (const Shape& shape : kShapes) {
    const Tokens tokens(shape, kRagged, numbers);
    EXPECT_TRUE(SameBits(AttendAll(*backend_, shape, tokens, kRagged),
                         AttendAll(*reference_, shape, tokens, kRagged)))
        << shape.heads << " heads of " << shape.width << ", window " << shape.window;
  }
}

TEST_P(AttentionTest, IsTheSameHoweverRowsAreCut) {
  Numbers numbers(32);
  const Shape shape{4, 2, 20, 20, 77};
  const Ragged whole = {{0}, {300}};
  const Tokens tokens(shape, whole, numbers);
  Pages at_once(*backend_, shape, tokens, whole), in_parts(*backend_, shape, tokens, whole);
  const std::vector<float> expected = at_once.Attend({0}, {300});
  std::vector<float> found;
  for (size_t done = 0, next = 1; done < 300; done += next, next = std::min(3 * next, 300 - done)) {
    const std::vector<float> part = in_parts.Attend({done}, {std::min(next, 300 - done)});
    found.insert(found.end(), part.begin(), part.end());
  }
  EXPECT_TRUE(SameBits(found, expected));
}

TEST_P(AttentionTest, FollowsItsFormula) {
  Numbers numbers(33);
  double worst = 0;
  for (const Shape& shape : kShapes) {
    if (shape.dtype != DType::kF32) continue;
    const Tokens tokens(shape, kRagged, numbers);
    const std::vector<float> out = AttendAll(*backend_, shape, tokens, kRagged);
    const double scale = 1.0 / std::sqrt(static_cast<double>(shape.width));
    size_t at = 0;
    for (size_t s = 0; s < kRagged.rows.size(); ++s) {
      for (size_t t = 0; t < kRagged.rows[s]; ++t) {
        const size_t p = kRagged.positions[s] + t;
        const size_t first = shape.window == 0 || p < shape.window ? 0 : p + 1 - shape.window;
        for (size_t h = 0; h < shape.heads; ++h) {
          const size_t kv = h / (shape.heads / shape.kv_heads);
          std::vector<double> sums(shape.value_width + 1);
          for (size_t j = first; j <= p; ++j) {
            double dot = 0;
            for (size_t i = 0; i < shape.width; ++i)
              dot += static_cast<double>(tokens.q[s][(p * shape.heads + h) * shape.width + i]) *
                     tokens.k[s][(j * shape.kv_heads + kv) * shape.width + i];
            const double weight = std::exp(scale * dot);
            sums.back() += weight;
            for (size_t i = 0; i < shape.value_width; ++i)
              sums[i] += weight * tokens.v[s][(j * shape.kv_heads + kv) * shape.value_width + i];
          }
          for (size_t i = 0; i < shape.value_width; ++i, ++at)
            worst = std::max(worst, std::fabs(out[at] - sums[i] / sums.back()));
        }
      }
    }
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LT(worst, 2e-6) << "largest difference seen";
}

}  // namespace
}  // namespace statelib::kernels
