// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/pre_tokenizer.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/split.h"

namespace statelib::tokenizer {

namespace {

using Steps = PreTokenizer::Steps;

constexpr std::string_view kNumericCharacter = R"(\p{N})";
constexpr std::string_view kNumericRun = R"(\p{N}+)";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kPunctuationRun = R"([\p{P}$+<=>^~|]+)";
constexpr std::string_view kPunctuationCharacter = R"([!-/:-@\[-`{-~\p{P}])";

// Real tokenizers have fewer than ten; this bounds the time that a file can cost.
constexpr size_t kStepsMax = 64;

/// By what the published expressions match: of those that cut, no match goes on behind a letter
/// with a space or line feed, and none looks further than the next character that is no space. Of
/// those that pass, no match has more than one character where a letter, a space or a line feed is
/// in it.
AtWordEnds AtWordEndsOf(std::string_view expression) {
  for (const std::string_view cutting : {kGpt2Expression, kDeepseekCoderWord, kDeepseekLlmWord})
    if (expression == cutting) return AtWordEnds::kCuts;
  // Files spell the contractions, with which the later ones begin, in two ways.
  const std::string_view spelled = kLlama3Expression.substr(0, kLlama3Expression.find(")|") + 2);
  std::string_view rest = expression;
  for (const std::string_view head : {spelled, std::string_view("(?i:'s|'t|'re|'ve|'m|'ll|'d)|")})
    if (rest.starts_with(head)) rest.remove_prefix(head.size());
  for (std::string_view cutting :
       {kLlama3Expression, kQwen2Expression, kQwen35Expression, kTekkenExpression}) {
    if (cutting.starts_with(spelled)) cutting.remove_prefix(spelled.size());
    if (rest == cutting) return AtWordEnds::kCuts;
  }
  for (const std::string_view passing : {kNumericCharacter, kNumericRun, kPunctuationCharacter,
                                         kPunctuationRun, kThreeDigits, kLineBreak})
    if (expression == passing) return AtWordEnds::kPasses;
  return AtWordEnds::kDepends;
}

class CutStep final : public PreTokenizerStep {
 public:
  CutStep(Pattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  AtWordEnds at_word_ends() const override {
    const AtWordEnds known = AtWordEndsOf(pattern_.source());
    const bool plain = behavior_ == SplitBehavior::kIsolated && !invert_;
    return known == AtWordEnds::kCuts && !plain ? AtWordEnds::kDepends : known;
  }

  void Apply(PreTokens& tokens) const override {
    Splitter splitter(pattern_, behavior_, invert_);
    std::vector<Span> pieces;
    pieces.reserve(tokens.pieces.size());
    for (const Span& piece : tokens.pieces) {
      const size_t before = pieces.size();
      splitter.Cut(std::string_view(tokens.text).substr(piece.begin, piece.end - piece.begin),
                   pieces);
      for (size_t i = before; i < pieces.size(); ++i) {
        pieces[i].begin += piece.begin;
        pieces[i].end += piece.begin;
      }
    }
    tokens.pieces = std::move(pieces);
  }

 private:
  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

/// A step that appends each piece, changed, to a new text.
class RewriteStep : public PreTokenizerStep {
 public:
  void Apply(PreTokens& tokens) const final {
    std::string text;
    text.reserve(tokens.text.size());
    const bool keeps_begin = !tokens.pieces.empty() && tokens.pieces.front().begin == 0;
    for (Span& piece : tokens.pieces) {
      const std::string_view old =
          std::string_view(tokens.text).substr(piece.begin, piece.end - piece.begin);
      const bool at_input_begin = tokens.at_input_begin && piece.begin == 0;
      const size_t begin = text.size();
      Rewrite(old, at_input_begin, text);
      piece = {begin, text.size()};
      if (text.size() > kWholeTextBytesMax) {
        Throw(ErrorKind::kUnsupported, "cutting a text into pre-tokens makes more than {} bytes",
              kWholeTextBytesMax);
      }
    }
    tokens.text = std::move(text);
    tokens.at_input_begin = tokens.at_input_begin && keeps_begin;
  }

 private:
  virtual void Rewrite(std::string_view piece, bool at_input_begin, std::string& out) const = 0;
};

/// Puts a character before pieces that do not begin with it.
class PrefixStep final : public RewriteStep {
 public:
  PrefixStep(std::string_view prefix, bool only_at_input_begin)
      : prefix_(prefix), only_at_input_begin_(only_at_input_begin) {}

 private:
  void Rewrite(std::string_view piece, bool at_input_begin, std::string& out) const override {
    const bool wanted = at_input_begin || !only_at_input_begin_;
    if (wanted && !piece.starts_with(prefix_)) out += prefix_;
    out += piece;
  }

  std::string prefix_;
  bool only_at_input_begin_;
};

class SpaceStep final : public RewriteStep {
 public:
  explicit SpaceStep(std::string_view replacement) : replacement_(replacement) {}

 private:
  void Rewrite(std::string_view piece, bool /*at_input_begin*/, std::string& out) const override {
    for (const char c : piece) {
      if (c == ' ') {
        out += replacement_;
      } else {
        out.push_back(c);
      }
    }
  }

  std::string replacement_;
};

class ByteAlphabetStep final : public RewriteStep {
 private:
  void Rewrite(std::string_view piece, bool /*at_input_begin*/, std::string& out) const override {
    for (const char c : piece) out += CharacterOfByte(static_cast<uint8_t>(c));
  }
};

template <typename Step, typename... Args>
void Add(Steps& steps, Args&&... args) {
  steps.push_back(std::make_unique<Step>(std::forward<Args>(args)...));
}

void BuildByteLevel(const JsonValue& json, Steps& steps) {
  if (BoolOr(json, "add_prefix_space", true)) Add<PrefixStep>(steps, " ", false);
  if (BoolOr(json, "use_regex", true)) {
    Add<CutStep>(steps, Pattern::Expression(kGpt2Expression, json.Path()), SplitBehavior::kIsolated,
                 false);
  }
  Add<ByteAlphabetStep>(steps);
}

void BuildSplit(const JsonValue& json, Steps& steps) {
  Add<CutStep>(steps, Pattern::FromJson(json["pattern"]),
               ReadSplitBehavior(json, "behavior", SplitBehavior::kIsolated),
               BoolOr(json, "invert", false));
}

void BuildDigits(const JsonValue& json, Steps& steps) {
  const bool individual = BoolOr(json, "individual_digits", false);
  Add<CutStep>(steps, Pattern::Expression(kNumericCharacter, json.Path()),
               individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous, false);
}

void BuildPunctuation(const JsonValue& json, Steps& steps) {
  Add<CutStep>(steps, Pattern::Expression(kPunctuationCharacter, json.Path()),
               ReadSplitBehavior(json, "behavior", SplitBehavior::kIsolated), false);
}

// Older files say add_prefix_space instead of prepend_scheme.
std::string_view PrependSchemeOf(const JsonValue& json) {
  const std::string_view scheme =
      StringOr(json, "prepend_scheme", BoolOr(json, "add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    Throw(ErrorKind::kUnsupported,
          "{}: unsupported prepend_scheme \"{}\"; supported: always, first, never", json.Path(),
          scheme);
  }
  return scheme;
}

void BuildMetaspace(const JsonValue& json, Steps& steps) {
  const std::string_view replacement = json["replacement"].String();
  if (replacement.empty()) {
    Throw(ErrorKind::kCorrupt, "{}: expected a character, found an empty text",
          json["replacement"].Path());
  }
  const std::string_view scheme = PrependSchemeOf(json);
  Add<SpaceStep>(steps, replacement);
  if (scheme != "never") Add<PrefixStep>(steps, replacement, scheme == "first");
  if (BoolOr(json, "split", true)) {
    Add<CutStep>(steps, Pattern::Literal(replacement), SplitBehavior::kMergedWithNext, false);
  }
}

void Build(const JsonValue& json, Steps& steps);

void BuildSequence(const JsonValue& json, Steps& steps) {
  json["pretokenizers"].ForEach([&](const JsonValue& part) { Build(part, steps); });
}

using BuildFunction = void (*)(const JsonValue&, Steps&);

constexpr ComponentType<BuildFunction> kTypes[] = {
    {"ByteLevel", BuildByteLevel},     {"Digits", BuildDigits},     {"Metaspace", BuildMetaspace},
    {"Punctuation", BuildPunctuation}, {"Sequence", BuildSequence}, {"Split", BuildSplit},
};

void Build(const JsonValue& json, Steps& steps) {
  FindComponent(json, kTypes)(json, steps);
  if (steps.size() > kStepsMax) {
    Throw(ErrorKind::kUnsupported, "{}: expected at most {} steps, found more", json.Path(),
          kStepsMax);
  }
}

}  // namespace

PreTokenizer PreTokenizer::FromJson(const std::optional<JsonValue>& json) {
  PreTokenizer built;
  if (!json) return built;
  Build(*json, built.steps_);
  if (!built.steps_.empty() &&
      dynamic_cast<const ByteAlphabetStep*>(built.steps_.back().get()) != nullptr) {
    built.steps_.pop_back();
    built.leaves_bytes_ = true;
  }
  return built;
}

PreTokenizer PreTokenizer::ByteLevel(std::span<const std::string_view> expressions) {
  PreTokenizer built;
  for (const std::string_view expression : expressions) {
    Add<CutStep>(built.steps_, Pattern::Expression(expression, "built in"),
                 SplitBehavior::kIsolated, false);
  }
  built.leaves_bytes_ = true;
  return built;
}

bool PreTokenizer::CutsAfterWords() const {
  for (const auto& step : steps_) {
    if (step->at_word_ends() == AtWordEnds::kCuts) return true;
    if (step->at_word_ends() == AtWordEnds::kDepends) return false;
  }
  return false;
}

PreTokens PreTokenizer::Cut(std::string text, bool at_input_begin) const {
  PreTokens tokens{std::move(text), {}, at_input_begin};
  if (!tokens.text.empty()) tokens.pieces.push_back({0, tokens.text.size()});
  for (const auto& step : steps_) step->Apply(tokens);
  return tokens;
}

}  // namespace statelib::tokenizer
