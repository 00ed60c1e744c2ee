// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/embedded_vocabulary.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/tokenizer/components.h"
#include "core/tokenizer/pre_types.h"

namespace statelib::tokenizer {

namespace {

// Pieces of trained vocabularies have at most 16 characters, runs of spaces some 100 bytes. Every
// way to cut a piece in two is looked at.
constexpr size_t kPieceBytesMax = 512;

constexpr const char* kNoNormalizer = R"({"type":"Sequence","normalizers":[]})";
constexpr const char* kCompose = R"({"type":"NFC"})";
constexpr const char* kMarkSpaces = R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})";
constexpr const char* kPrefixAndMarkSpaces =
    R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
    R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]})";

constexpr const char* kByteLevelDecoder = R"({"type":"ByteLevel"})";
/// Builds a component from its description in the words of tokenizer.json.
template <typename Component>
auto FromText(const char* json) {
  return Component::FromJson(
      JsonDocument::Parse(AsBytes(std::string_view(json)), "built in").root());
}

class Builder {
 public:
  Builder(const EmbeddedVocabulary& source, const std::string& name)
      : source_(source), name_(name) {
    CheckArrays();
  }

  Components Build() {
    Components components;
    components.fingerprint = Fingerprint();
    if (source_.kind == "gpt2") {
      BuildGpt2(components);
    } else if (source_.kind == "llama") {
      BuildLlama(components);
    } else {
      Throw(ErrorKind::kUnsupported,
            "{}: tokenizer.ggml.model: unsupported kind \"{}\"; supported: gpt2, llama; or name a "
            "tokenizer.json with --tokenizer FILE",
            name_, source_.kind);
    }
    return components;
  }

 private:
  using Type = EmbeddedVocabulary::TokenType;

  size_t count() const { return source_.tokens.size(); }

  Type TypeOf(size_t id) const {
    if (!source_.types.empty()) return static_cast<Type>(source_.types[id]);
    const auto is = [id](const std::optional<TokenId>& other) {
      return other && static_cast<size_t>(*other) == id;
    };
    return is(source_.begin) || is(source_.end) ? Type::kControl : Type::kNormal;
  }

  /// A row that stands for text: others are padding.
  bool IsToken(size_t id) const {
    return TypeOf(id) != Type::kUnused && !source_.tokens[id].empty();
  }

  void CheckArrays() const {
    if (count() == 0 || count() > static_cast<size_t>(kIdsMax)) {
      Throw(ErrorKind::kCorrupt, "{}: tokenizer.ggml.tokens: expected 1 to {} tokens, found {}",
            name_, kIdsMax, count());
    }
    if (!source_.types.empty()) CheckLength("token_type", source_.types.size());
    if (!source_.scores.empty()) CheckLength("scores", source_.scores.size());
    for (const int64_t type : source_.types) {
      if (type >= Type::kNormal && type <= Type::kByte) continue;
      Throw(ErrorKind::kUnsupported, "{}: tokenizer.ggml.token_type: expected {} to {}, found {}",
            name_, int{Type::kNormal}, int{Type::kByte}, type);
    }
    for (const auto& id : {source_.begin, source_.end, source_.unknown}) {
      if (!id || static_cast<size_t>(*id) < count()) continue;
      Throw(ErrorKind::kCorrupt, "{}: tokenizer.ggml: expected a special token below {}, found {}",
            name_, count(), *id);
    }
  }

  void CheckLength(const char* array, size_t length) const {
    if (length == count()) return;
    Throw(ErrorKind::kCorrupt,
          "{}: tokenizer.ggml.{}: expected one for each of {} tokens, found {}", name_, array,
          count(), length);
  }

  Digest Fingerprint() const {
    Hasher hasher;
    hasher.UpdateField("statelib embedded tokenizer 1");
    hasher.UpdateField(source_.kind).UpdateField(source_.pre).UpdateU64(count());
    for (const std::string_view token : source_.tokens) hasher.UpdateField(token);
    hasher.UpdateU64(source_.types.size());
    for (const int64_t type : source_.types) hasher.UpdateU64(static_cast<uint64_t>(type));
    hasher.UpdateU64(source_.scores.size());
    for (const double score : source_.scores) hasher.UpdateU64(std::bit_cast<uint64_t>(score));
    hasher.UpdateU64(source_.merges.size());
    for (const std::string_view merge : source_.merges) hasher.UpdateField(merge);
    for (const auto& id : {source_.begin, source_.end, source_.unknown}) {
      hasher.UpdateU64(static_cast<uint64_t>(id ? int64_t{*id} + 1 : 0));
    }
    for (const auto& flag : {source_.adds_begin, source_.adds_end, source_.adds_space_prefix}) {
      hasher.UpdateU64(flag ? (*flag ? 2 : 1) : 0);
    }
    return hasher.Finish();
  }

  Vocabulary ReadTokens() const {
    Vocabulary vocabulary;
    for (size_t id = 0; id < count(); ++id) {
      const std::string_view token = source_.tokens[id];
      if (!IsToken(id)) continue;
      if (ValidPrefixLength(token) != token.size()) {
        Throw(ErrorKind::kCorrupt,
              "{}: tokenizer.ggml.tokens[{}]: expected UTF-8, found other bytes", name_, id);
      }
      if (!vocabulary.Add(token, static_cast<TokenId>(id))) {
        Throw(ErrorKind::kCorrupt,
              "{}: tokenizer.ggml.tokens[{}]: the token \"{}\" stands there twice", name_, id,
              token);
      }
    }
    vocabulary.Seal();
    return vocabulary;
  }

  std::vector<AddedToken> AddedTokens(bool normalized) const {
    std::vector<AddedToken> added;
    for (size_t id = 0; id < count(); ++id) {
      const Type type = TypeOf(id);
      const bool special = type == Type::kControl || type == Type::kUnknown;
      if (!IsToken(id) || (!special && type != Type::kUserDefined)) continue;
      AddedToken& token = added.emplace_back();
      token.id = static_cast<TokenId>(id);
      token.content = source_.tokens[id];
      token.special = special;
      token.normalized = normalized && !special;
      RequireContentLength(token, fmt::format("{}: tokenizer.ggml.tokens[{}]", name_, id));
    }
    return added;
  }

  PostProcessor Around(bool begin, bool end) const {
    PostProcessor around;
    if (source_.adds_begin.value_or(begin) && source_.begin) around.before = {*source_.begin};
    if (source_.adds_end.value_or(end) && source_.end) around.after = {*source_.end};
    return around;
  }

  void BuildGpt2(Components& components) const {
    const PreType& pre = FindPreType(source_.pre, name_);
    components.normalizer = FromText<Normalizer>(pre.composes ? kCompose : kNoNormalizer);
    components.pre_tokenizer = pre.published != nullptr ? FromText<PreTokenizer>(pre.published)
                                                        : PreTokenizer::ByteLevel(pre.expressions);
    components.added_tokens = AddedTokens(true);
    components.post_processor = Around(pre.adds_begin, false);
    components.decoder = FromText<Decoder>(kByteLevelDecoder);
    Bpe::Ingredients bpe;
    bpe.vocabulary = ReadTokens();
    bpe.merges = ReadMerges(bpe.vocabulary);
    bpe.ignore_merges = pre.ignores_merges;
    components.model = Bpe(std::move(bpe));
  }

  MergeTable ReadMerges(const Vocabulary& vocabulary) const {
    MergeTable merges(source_.merges.size());
    std::string joined;
    for (size_t rank = 0; rank < source_.merges.size(); ++rank) {
      const std::string_view merge = source_.merges[rank];
      // A part is never empty, so a space in front belongs to it.
      const size_t space = merge.find(' ', 1);
      const std::string_view left = merge.substr(0, space);
      const std::string_view right = space == merge.npos ? "" : merge.substr(space + 1);
      joined.assign(left).append(right);
      const auto left_id = vocabulary.Find(left), right_id = vocabulary.Find(right),
                 result = vocabulary.Find(joined);
      if (!left_id || !right_id || !result) {
        Throw(ErrorKind::kCorrupt,
              "{}: tokenizer.ggml.merges[{}]: expected two tokens that make a third, found \"{}\"",
              name_, rank, merge);
      }
      merges.Set(*left_id, *right_id, {static_cast<uint32_t>(rank), *result});
    }
    return merges;
  }

  void BuildLlama(Components& components) const {
    const bool prefix = source_.adds_space_prefix.value_or(true);
    components.normalizer = FromText<Normalizer>(prefix ? kPrefixAndMarkSpaces : kMarkSpaces);
    components.added_tokens = AddedTokens(false);
    components.post_processor = Around(true, false);
    components.decoder = Decoder::OfPieces(prefix);
    Bpe::Ingredients bpe;
    bpe.vocabulary = ReadTokens();
    bpe.merges = MergesByScore(bpe.vocabulary);
    bpe.byte_fallback = true;
    bpe.unknown = source_.unknown;
    bpe.fuse_unknown = true;
    components.model = Bpe(std::move(bpe));
  }

  bool IsPiece(std::optional<TokenId> id) const {
    return id && TypeOf(static_cast<size_t>(*id)) == Type::kNormal;
  }

  // SentencePiece merges whichever two neighbours make the piece of the highest score, the leftmost
  // of equals: pieces of one score have one rank.
  MergeTable MergesByScore(const Vocabulary& vocabulary) const {
    struct Found {
      TokenId left;
      TokenId right;
      TokenId result;
    };
    const std::vector<double> scores = ScoresFallingOnce();
    std::vector<Found> found;
    for (size_t id = 0; id < count(); ++id) {
      const std::string_view piece = source_.tokens[id];
      if (TypeOf(id) != Type::kNormal || piece.empty()) continue;
      if (piece.size() > kPieceBytesMax) {
        Throw(ErrorKind::kUnsupported,
              "{}: tokenizer.ggml.tokens[{}]: expected at most {} bytes, found {}", name_, id,
              kPieceBytesMax, piece.size());
      }
      for (size_t cut = FrontUnit(piece).length; cut < piece.size();
           cut += FrontUnit(piece.substr(cut)).length) {
        const auto left = vocabulary.Find(piece.substr(0, cut));
        if (!IsPiece(left)) continue;
        const auto right = vocabulary.Find(piece.substr(cut));
        if (IsPiece(right)) found.push_back({*left, *right, static_cast<TokenId>(id)});
      }
    }
    MergeTable merges(found.size());
    for (const auto& [left, right, result] : found) {
      const double score = source_.scores[static_cast<size_t>(result)];
      const auto rank =
          std::lower_bound(scores.begin(), scores.end(), score, std::greater<>()) - scores.begin();
      merges.Set(left, right, {static_cast<uint32_t>(rank), result});
    }
    return merges;
  }

  std::vector<double> ScoresFallingOnce() const {
    CheckLength("scores", source_.scores.size());
    std::vector<double> scores = source_.scores;
    for (const double score : scores) {
      if (!std::isfinite(score)) {
        Throw(ErrorKind::kCorrupt, "{}: tokenizer.ggml.scores: expected finite numbers, found {}",
              name_, score);
      }
    }
    std::sort(scores.begin(), scores.end(), std::greater<>());
    scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
    return scores;
  }

  const EmbeddedVocabulary& source_;
  const std::string& name_;
};

}  // namespace

Components ComponentsOf(const EmbeddedVocabulary& vocabulary, const std::string& name) {
  return Builder(vocabulary, name).Build();
}

}  // namespace statelib::tokenizer
