// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/decoder_steps.h"

#include <charconv>
#include <optional>
#include <utility>

#include "core/base/utf8.h"
#include "core/tokenizer/byte_alphabet.h"

namespace statelib::tokenizer {

namespace {

using SinkPtr = std::unique_ptr<TextSink>;

/// A run that holds nothing back unless it says so.
class Run : public TextSink {
 public:
  explicit Run(SinkPtr next) : next_(std::move(next)) {}
  void Flush() override { next_->Flush(); }

 protected:
  TextSink& next() { return *next_; }

 private:
  SinkPtr next_;
};

class ByteLevelRun final : public Run {
 public:
  using Run::Run;

  void Push(std::string_view token) override {
    AppendTokenBytes(token, held_);
    text_.clear();
    held_.erase(0, AppendComplete(held_, text_));
    if (!text_.empty()) next().Push(text_);
  }

  void Flush() override {
    text_.clear();
    AppendLossy(held_, text_);
    held_.clear();
    if (!text_.empty()) next().Push(text_);
    Run::Flush();
  }

 private:
  std::string held_;
  std::string text_;
};

class ByteLevelDecoder final : public DecoderStep {
 public:
  SinkPtr Start(SinkPtr next) const override {
    return std::make_unique<ByteLevelRun>(std::move(next));
  }
  void ToBytes(std::string& token) const override {
    std::string bytes;
    AppendTokenBytes(token, bytes);
    token = std::move(bytes);
  }
};

std::optional<char> FallbackByte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  uint8_t byte = 0;
  const char* end = token.data() + 5;
  const auto read = std::from_chars(token.data() + 3, end, byte, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return static_cast<char>(byte);
}

class ByteFallbackRun final : public Run {
 public:
  using Run::Run;

  void Push(std::string_view token) override {
    if (const auto byte = FallbackByte(token)) {
      held_.push_back(*byte);
      return;
    }
    PushHeld();
    next().Push(token);
  }

  void Flush() override {
    PushHeld();
    Run::Flush();
  }

 private:
  void PushHeld() {
    if (held_.empty()) return;
    if (ValidPrefixLength(held_) == held_.size()) {
      next().Push(held_);
    } else {
      for (size_t i = 0; i < held_.size(); ++i) next().Push(kReplacementCharacter);
    }
    held_.clear();
  }

  std::string held_;
};

class ByteFallbackDecoder final : public DecoderStep {
 public:
  SinkPtr Start(SinkPtr next) const override {
    return std::make_unique<ByteFallbackRun>(std::move(next));
  }
  void ToBytes(std::string& token) const override {
    if (const auto byte = FallbackByte(token)) token.assign(1, *byte);
  }
};

class PieceBytesRun final : public Run {
 public:
  using Run::Run;

  void Push(std::string_view token) override {
    if (const auto byte = FallbackByte(token)) {
      held_.push_back(*byte);
      PushWhole();
      return;
    }
    PushRest();
    next().Push(token);
  }

  void Flush() override {
    PushRest();
    Run::Flush();
  }

 private:
  /// All but a character that more bytes could complete.
  void PushWhole() {
    while (!held_.empty()) {
      const Utf8Unit unit = FrontUnit(held_);
      if (unit.kind == Utf8Unit::Kind::kIncomplete) return;
      if (unit.kind == Utf8Unit::Kind::kCharacter) {
        next().Push(std::string_view(held_).substr(0, unit.length));
      } else {
        PushReplacements(unit.length);
      }
      held_.erase(0, unit.length);
    }
  }

  void PushRest() {
    PushReplacements(held_.size());
    held_.clear();
  }

  void PushReplacements(size_t count) {
    for (size_t i = 0; i < count; ++i) next().Push(kReplacementCharacter);
  }

  std::string held_;
};

class PieceBytesDecoder final : public DecoderStep {
 public:
  SinkPtr Start(SinkPtr next) const override {
    return std::make_unique<PieceBytesRun>(std::move(next));
  }
  void ToBytes(std::string& token) const override {
    if (const auto byte = FallbackByte(token)) token.assign(1, *byte);
  }
};

// Joining is what the steps behind this one make of their pushes; nothing happens here.
class FuseDecoder final : public DecoderStep {
 public:
  SinkPtr Start(SinkPtr next) const override { return next; }
};

class SpacingRun final : public Run {
 public:
  using Run::Run;

  void Push(std::string_view token) override {
    if (std::exchange(begun_, true)) next().Push(" ");
    next().Push(token);
  }

 private:
  bool begun_ = false;
};

class SpacingDecoder final : public DecoderStep {
 public:
  SinkPtr Start(SinkPtr next) const override {
    return std::make_unique<SpacingRun>(std::move(next));
  }
};

class ReplaceRun final : public Run {
 public:
  ReplaceRun(const Replacement& replacement, SinkPtr next)
      : Run(std::move(next)), replacement_(replacement) {}

  void Push(std::string_view token) override {
    text_.clear();
    replacement_.Append(token, text_);
    next().Push(text_);
  }

 private:
  const Replacement& replacement_;
  std::string text_;
};

class ReplaceDecoder final : public DecoderStep {
 public:
  explicit ReplaceDecoder(Replacement replacement) : replacement_(std::move(replacement)) {}
  SinkPtr Start(SinkPtr next) const override {
    return std::make_unique<ReplaceRun>(replacement_, std::move(next));
  }
  void ToBytes(std::string& token) const override {
    std::string text;
    replacement_.Append(token, text);
    token = std::move(text);
  }

 private:
  Replacement replacement_;
};

class MetaspaceRun final : public Run {
 public:
  MetaspaceRun(const Replacement& with_space, const Replacement& with_nothing, bool drops_first,
               SinkPtr next)
      : Run(std::move(next)),
        with_space_(with_space),
        with_nothing_(with_nothing),
        drops_(drops_first) {}

  void Push(std::string_view token) override {
    text_.clear();
    (std::exchange(drops_, false) ? with_nothing_ : with_space_).Append(token, text_);
    next().Push(text_);
  }

 private:
  const Replacement& with_space_;
  const Replacement& with_nothing_;
  bool drops_;
  std::string text_;
};

class MetaspaceDecoder final : public DecoderStep {
 public:
  MetaspaceDecoder(std::string_view replacement, bool drops_first)
      : with_space_(Pattern::Literal(replacement), " "),
        with_nothing_(Pattern::Literal(replacement), ""),
        drops_first_(drops_first) {}
  SinkPtr Start(SinkPtr next) const override {
    return std::make_unique<MetaspaceRun>(with_space_, with_nothing_, drops_first_,
                                          std::move(next));
  }
  void ToBytes(std::string& token) const override {
    std::string text;
    with_space_.Append(token, text);
    token = std::move(text);
  }

 private:
  Replacement with_space_;
  Replacement with_nothing_;
  bool drops_first_;
};

struct StripRule {
  std::string content;
  size_t start;
  size_t stop;
};

/// Strips a text that comes in parts: what may be its end is counted and not yet handed on.
class StripJoinedRun final : public Run {
 public:
  StripJoinedRun(const StripRule& rule, SinkPtr next)
      : Run(std::move(next)), rule_(rule), start_left_(rule.start) {}

  void Push(std::string_view part) override {
    text_.clear();
    while (!part.empty()) {
      const std::string_view character = part.substr(0, FrontUnit(part).length);
      Take(character);
      part.remove_prefix(character.size());
    }
    if (!text_.empty()) next().Push(text_);
  }

  void Flush() override {
    start_left_ = rule_.start;
    held_ = 0;
    Run::Flush();
  }

 private:
  void Take(std::string_view character) {
    if (character == rule_.content) {
      if (start_left_ > 0) {
        --start_left_;
      } else if (held_ < rule_.stop) {
        ++held_;
      } else {
        text_ += character;
      }
      return;
    }
    start_left_ = 0;
    for (; held_ > 0; --held_) text_ += rule_.content;
    text_ += character;
  }

  const StripRule& rule_;
  size_t start_left_;
  size_t held_ = 0;
  std::string text_;
};

class StripTokensRun final : public Run {
 public:
  StripTokensRun(const StripRule& rule, SinkPtr next) : Run(std::move(next)), rule_(rule) {}

  void Push(std::string_view token) override {
    for (size_t i = 0; i < rule_.start && token.starts_with(rule_.content); ++i)
      token.remove_prefix(rule_.content.size());
    for (size_t i = 0; i < rule_.stop && token.ends_with(rule_.content); ++i)
      token.remove_suffix(rule_.content.size());
    next().Push(token);
  }

 private:
  const StripRule& rule_;
};

class StripDecoder final : public DecoderStep {
 public:
  StripDecoder(StripRule rule, bool joined) : rule_(std::move(rule)), joined_(joined) {}
  SinkPtr Start(SinkPtr next) const override {
    if (joined_) return std::make_unique<StripJoinedRun>(rule_, std::move(next));
    return std::make_unique<StripTokensRun>(rule_, std::move(next));
  }

 private:
  StripRule rule_;
  bool joined_;
};

}  // namespace

DecoderStepPtr MakeByteLevelDecoder() { return std::make_unique<ByteLevelDecoder>(); }
DecoderStepPtr MakeByteFallbackDecoder() { return std::make_unique<ByteFallbackDecoder>(); }
DecoderStepPtr MakePieceBytesDecoder() { return std::make_unique<PieceBytesDecoder>(); }
DecoderStepPtr MakeFuseDecoder() { return std::make_unique<FuseDecoder>(); }
DecoderStepPtr MakeSpacingDecoder() { return std::make_unique<SpacingDecoder>(); }

DecoderStepPtr MakeReplaceDecoder(Replacement replacement) {
  return std::make_unique<ReplaceDecoder>(std::move(replacement));
}

DecoderStepPtr MakeMetaspaceDecoder(std::string_view replacement, bool drops_first) {
  return std::make_unique<MetaspaceDecoder>(replacement, drops_first);
}

DecoderStepPtr MakeStripDecoder(std::string_view content, size_t start, size_t stop, bool joined) {
  return std::make_unique<StripDecoder>(StripRule{std::string(content), start, stop}, joined);
}

}  // namespace statelib::tokenizer
