// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/normalizer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/utf8.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/normal_form.h"
#include "core/tokenizer/replacement.h"

namespace statelib::tokenizer {

namespace {

using NormalizerPtr = std::unique_ptr<const Normalizer>;

class Nothing final : public Normalizer {
 public:
  void Apply(std::string& /*text*/) const override {}
  bool KeepsWordEnds() const override { return true; }
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(NormalForm form) : form_(form) {}
  void Apply(std::string& text) const override { text = Normalize(text, form_); }
  // Neither a space nor a line feed composes with anything.
  bool KeepsWordEnds() const override { return true; }

 private:
  NormalForm form_;
};

class Replace final : public Normalizer {
 public:
  explicit Replace(Replacement replacement) : replacement_(std::move(replacement)) {}
  void Apply(std::string& text) const override {
    std::string replaced;
    replaced.reserve(text.size());
    replacement_.Append(text, replaced);
    text = std::move(replaced);
  }

 private:
  Replacement replacement_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string_view front) : front_(front) {}
  void Apply(std::string& text) const override {
    if (!text.empty()) text.insert(0, front_);
  }

 private:
  std::string front_;
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void Apply(std::string& text) const override {
    if (right_) text.resize(text.size() - TrailingWhiteSpace(text));
    if (left_) text.erase(0, LeadingWhiteSpace(text));
  }

 private:
  bool left_;
  bool right_;
};

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<NormalizerPtr> parts) : parts_(std::move(parts)) {}
  void Apply(std::string& text) const override {
    for (const NormalizerPtr& part : parts_) part->Apply(text);
  }
  bool KeepsWordEnds() const override {
    return std::all_of(parts_.begin(), parts_.end(),
                       [](const NormalizerPtr& part) { return part->KeepsWordEnds(); });
  }

 private:
  std::vector<NormalizerPtr> parts_;
};

NormalizerPtr Build(const JsonValue& json);

template <NormalForm kForm>
NormalizerPtr BuildForm(const JsonValue& /*json*/) {
  return std::make_unique<UnicodeForm>(kForm);
}

NormalizerPtr BuildReplace(const JsonValue& json) {
  return std::make_unique<Replace>(Replacement::FromJson(json));
}

NormalizerPtr BuildPrepend(const JsonValue& json) {
  return std::make_unique<Prepend>(json["prepend"].String());
}

NormalizerPtr BuildStrip(const JsonValue& json) {
  return std::make_unique<Strip>(BoolOr(json, "strip_left", true),
                                 BoolOr(json, "strip_right", true));
}

NormalizerPtr BuildSequence(const JsonValue& json) {
  std::vector<NormalizerPtr> parts;
  json["normalizers"].ForEach([&](const JsonValue& part) { parts.push_back(Build(part)); });
  return std::make_unique<Sequence>(std::move(parts));
}

using BuildFunction = NormalizerPtr (*)(const JsonValue&);

constexpr ComponentType<BuildFunction> kTypes[] = {
    {"NFC", BuildForm<NormalForm::kNfc>},
    {"NFD", BuildForm<NormalForm::kNfd>},
    {"NFKC", BuildForm<NormalForm::kNfkc>},
    {"NFKD", BuildForm<NormalForm::kNfkd>},
    {"Prepend", BuildPrepend},
    {"Replace", BuildReplace},
    {"Sequence", BuildSequence},
    {"Strip", BuildStrip},
};

NormalizerPtr Build(const JsonValue& json) { return FindComponent(json, kTypes)(json); }

}  // namespace

std::unique_ptr<const Normalizer> Normalizer::FromJson(const std::optional<JsonValue>& json) {
  if (!json) return std::make_unique<Nothing>();
  return Build(*json);
}

}  // namespace statelib::tokenizer
