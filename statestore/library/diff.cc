// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/diff.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "statestore/library/load.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

constexpr size_t kContextTokens = 16;  ///< shown on each side of the parting

/// Elements of a segment as numbers.
class Values {
 public:
  Values(DType dtype, ByteSpan bytes) : dtype_(dtype), bytes_(bytes) {}

  double operator[](size_t i) const {
    if (dtype_ == DType::kF32) return LoadLittle<float>(bytes_.data() + 4 * i);
    const auto bits = LoadLittle<uint16_t>(bytes_.data() + 2 * i);
    if (dtype_ == DType::kBF16) return std::bit_cast<float>(uint32_t{bits} << 16);
    return HalfToDouble(bits);
  }

 private:
  static double HalfToDouble(uint16_t bits) {
    const int exponent = (bits >> 10) & 0x1f;
    const double fraction = bits & 0x3ff;
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == 0x1f) {
      return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::quiet_NaN();
    }
    if (exponent == 0) return sign * std::ldexp(fraction, -24);
    return sign * std::ldexp(1024 + fraction, exponent - 25);
  }

  DType dtype_;
  ByteSpan bytes_;
};

/// What a history's tokens say, and where in it each begins.
struct TokenTexts {
  explicit TokenTexts(const tokenizer::Tokenizer& tokenizer, const std::vector<TokenId>& tokens) {
    for (const TokenId token : tokens) {
      begins.push_back(text.size());
      text += tokenizer.BytesOf(token);
    }
  }
  /// The first token that reaches beyond a place.
  size_t TokenAt(size_t place) const {
    const auto after = std::upper_bound(begins.begin(), begins.end(), place);
    return after == begins.begin() ? 0 : static_cast<size_t>(after - begins.begin()) - 1;
  }

  std::string text;
  std::vector<size_t> begins;
};

/// Token ids of two tokenizers have nothing to do with each other, their texts have.
void CompareTexts(const std::vector<TokenId>& all_a, const std::vector<TokenId>& all_b,
                  const tokenizer::Tokenizer& tokenizer_a, const tokenizer::Tokenizer& tokenizer_b,
                  HistoryDifference* difference) {
  const TokenTexts a(tokenizer_a, all_a), b(tokenizer_b, all_b);
  const auto parting = std::mismatch(a.text.begin(), a.text.end(), b.text.begin(), b.text.end());
  const auto common = static_cast<size_t>(parting.first - a.text.begin());
  difference->common_bytes = common;
  difference->equal = a.text == b.text;
  if (difference->equal) return;
  const auto after = [&](const TokenTexts& texts, const std::vector<TokenId>& all) {
    const size_t first = common >= texts.text.size() ? all.size() : texts.TokenAt(common);
    const size_t count = std::min(kContextTokens, all.size() - first);
    return std::vector<TokenId>(all.begin() + static_cast<std::ptrdiff_t>(first),
                                all.begin() + static_cast<std::ptrdiff_t>(first + count));
  };
  difference->after_a = after(a, all_a);
  difference->after_b = after(b, all_b);
  difference->after_text_a = tokenizer_a.Decode(difference->after_a);
  difference->after_text_b = tokenizer_b.Decode(difference->after_b);
}

void CompareTokens(const RunOf<TokenId>& kept_a, const RunOf<TokenId>& kept_b,
                   const tokenizer::Tokenizer* tokenizer, HistoryDifference* difference) {
  const std::vector<TokenId> all_a = kept_a.Values(), all_b = kept_b.Values();
  const auto parting = std::mismatch(all_a.begin(), all_a.end(), all_b.begin(), all_b.end());
  const auto common = static_cast<uint64_t>(parting.first - all_a.begin());
  difference->common_tokens = common;
  difference->before = kept_a.First(common).Last(kContextTokens).Values();
  difference->after_a = kept_a.Part(common, kContextTokens).Values();
  difference->after_b = kept_b.Part(common, kContextTokens).Values();
  if (tokenizer == nullptr) return;
  difference->before_text = tokenizer->Decode(difference->before);
  difference->after_text_a = tokenizer->Decode(difference->after_a);
  difference->after_text_b = tokenizer->Decode(difference->after_b);
}

HistoryDifference CompareHistories(const Library& library, const storage::StateRow& a,
                                   const storage::StateRow& b,
                                   const tokenizer::Tokenizer* tokenizer_a,
                                   const tokenizer::Tokenizer* tokenizer_b) {
  HistoryDifference difference;
  difference.tokens_a = a.history.token_count();
  difference.tokens_b = b.history.token_count();
  const bool both = tokenizer_a != nullptr && tokenizer_b != nullptr;
  const bool same_tokens =
      a.model == b.model || (both && tokenizer_a->fingerprint() == tokenizer_b->fingerprint());
  const auto kept_a = TokensOf(library, a.id), kept_b = TokensOf(library, b.id);
  difference.tokens_kept = kept_a && kept_b;
  if (same_tokens && a.history == b.history) {
    difference.equal = true;
    difference.common_tokens = a.history.token_count();
  } else if (difference.tokens_kept && same_tokens) {
    CompareTokens(*kept_a, *kept_b, tokenizer_a, &difference);
  } else if (difference.tokens_kept && both) {
    CompareTexts(kept_a->Values(), kept_b->Values(), *tokenizer_a, *tokenizer_b, &difference);
  }
  return difference;
}

}  // namespace

SegmentDifference CompareSegments(const SegmentSpec& spec, const Bytes& a_bytes,
                                  const Bytes& b_bytes) {
  SegmentDifference difference;
  difference.spec = spec;
  difference.equal_bytes = a_bytes == b_bytes;
  if (difference.equal_bytes) return difference;
  const Values a(spec.dtype, a_bytes);
  const Values b(spec.dtype, b_bytes);
  double aa = 0;
  double bb = 0;
  double ab = 0;
  double dd = 0;
  for (size_t i = 0; i < spec.elements(); ++i) {
    const double x = a[i];
    const double y = b[i];
    aa += x * x;
    bb += y * y;
    ab += x * y;
    dd += (x - y) * (x - y);
    difference.largest_absolute = std::max(difference.largest_absolute, std::abs(x - y));
  }
  if (aa > 0 && bb > 0) {
    difference.cosine = std::clamp(ab / (std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
  } else {
    difference.cosine = aa == bb ? 1 : 0;
  }
  const double distance = std::sqrt(dd);
  difference.relative_l2 = aa > 0         ? distance / std::sqrt(aa)
                           : distance > 0 ? std::numeric_limits<double>::infinity()
                                          : 0;
  return difference;
}

StateDifference Diff(const Library& library, const storage::ResolvedState& a,
                     const storage::ResolvedState& b, const tokenizer::Tokenizer* tokenizer_a,
                     const tokenizer::Tokenizer* tokenizer_b) {
  StateDifference difference;
  difference.a = a;
  difference.b = b;
  difference.same_model = a.state.model == b.state.model;
  difference.same_profile = a.state.profile == b.state.profile;
  difference.equal_content = a.state.content == b.state.content;
  difference.history = CompareHistories(library, a.state, b.state, tokenizer_a, tokenizer_b);
  if (!difference.same_model) return difference;
  const storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.ReadLease();
  const MappedFile file_a = repository.objects().Map(a.state.id);
  const MappedFile file_b = repository.objects().Map(b.state.id);
  const auto objects = repository.objects().Getter();
  const auto unchecked = storage::FileHash::kUnchecked;
  storage::StateReader reader_a(file_a.bytes(), file_a.path().string(), unchecked, objects);
  storage::StateReader reader_b(file_b.bytes(), file_b.path().string(), unchecked, objects);
  const StateSpec& spec = reader_a.header().description.spec;
  if (spec != reader_b.header().description.spec) return difference;
  for (size_t i = 0; i < spec.size(); ++i) {
    difference.segments.push_back(
        CompareSegments(spec[i], reader_a.ReadSegment(i), reader_b.ReadSegment(i)));
  }
  std::stable_sort(difference.segments.begin(), difference.segments.end(),
                   [](const SegmentDifference& x, const SegmentDifference& y) {
                     return x.relative_l2 > y.relative_l2;
                   });
  return difference;
}

}  // namespace statelib::library
