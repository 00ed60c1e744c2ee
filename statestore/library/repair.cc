// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/repair.h"

#include <map>
#include <optional>

#include "core/base/error.h"
#include "statestore/library/load.h"
#include "statestore/library/tokenized_documents.h"

namespace statelib::library {

namespace {

class TextRestorer {
 public:
  TextRestorer(Library& library, const TextsOptions& options)
      : library_(library), options_(options) {}

  RestoredTexts Run() {
    const auto missing = library_.repository().index().texts().Missing();
    uint64_t done = 0;
    for (const storage::MissingText& text : missing) {
      if (options_.cancel != nullptr) options_.cancel->Check();
      if (options_.on_progress) options_.on_progress(done++, missing.size());
      try {
        Restore(text);
        ++result_.restored;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kCancelled) throw;
        ++result_.missing;
        AddReason(error.what());
      }
    }
    return std::move(result_);
  }

 private:
  void AddReason(const std::string& reason) {
    if (result_.reasons.empty() || result_.reasons.back() != reason)
      result_.reasons.push_back(reason);
  }

  void Restore(const storage::MissingText& text) {
    if (state_ != text.state) {
      tokens_.reset();
      state_ = text.state;
      tokens_ = TokensOf(library_, text.state);
    }
    const auto row = library_.repository().index().states().Find(text.state);
    if (!row || !tokens_) return;
    const tokenizer::Tokenizer& tokenizer = ModelOf(row->model).runtime->tokenizer();
    const std::string before =
        options_.before ? options_.before(text.text_template, text.source, text.position == 0) : "";
    const storage::SourceText again =
        TextAgain(tokenizer, before, tokens_->Part(text.first_token, text.token_count),
                  static_cast<size_t>(text.position));
    library_.repository().index().texts().Add(text.derivation, again);
  }

  /// Errors: kNotFound for one that is not there; kMismatch for one that has changed.
  const LoadedModel& ModelOf(const Digest& fingerprint) {
    const auto known = models_.find(fingerprint);
    if (known != models_.end()) return known->second;
    const ModelPlace place = ChooseModel(&library_, fingerprint.Hex(), nullptr, {});
    LoadedModel model = LoadModel(library_, place, {}, options_.cancel);
    if (model.identity.fingerprint != fingerprint) {
      Throw(ErrorKind::kMismatch, "{} is not the model {} any more, whose tokens are kept",
            place.directory.string(), LabelOfModel(library_, fingerprint));
    }
    return models_.emplace(fingerprint, std::move(model)).first->second;
  }

  Library& library_;
  const TextsOptions& options_;
  RestoredTexts result_;
  std::map<Digest, LoadedModel> models_;
  std::optional<storage::StateId> state_;  // whose tokens are held
  std::optional<RunOf<TokenId>> tokens_;
};

}  // namespace

RestoredTexts RestoreTexts(Library& library, const TextsOptions& options) {
  return TextRestorer(library, options).Run();
}

}  // namespace statelib::library
