// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ask.h"

#include "core/base/error.h"
#include "statestore/library/prompt_card.h"

namespace statelib::library {

namespace {

constexpr size_t kQuestionBytesMax = 64 << 10;
constexpr std::string_view kSpace = " \t\r\n";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

/// Passes a text on in pieces without the space around it.
class TrimmedStream {
 public:
  explicit TrimmedStream(const std::function<void(std::string_view)>& out) : out_(out) {}

  void Push(std::string_view piece) {
    held_ += piece;
    if (!begun_) held_.erase(0, std::min(held_.find_first_not_of(kSpace), held_.size()));
    const size_t end = held_.find_last_not_of(kSpace);
    if (end == std::string::npos) return;
    begun_ = true;
    if (out_) out_(std::string_view(held_).substr(0, end + 1));
    held_.erase(0, end + 1);
  }

 private:
  const std::function<void(std::string_view)>& out_;
  std::string held_;  // space that the text may go on after
  bool begun_ = false;
};

/// Errors: those of Ask for the question and for the form.
PromptForm FormFor(const Library& library, const LoadedModel& model, std::string_view question) {
  if (question.empty())
    Throw(ErrorKind::kInvalidArgument, "the question is empty; write what you want to know");
  if (question.size() > kQuestionBytesMax) {
    Throw(ErrorKind::kInvalidArgument, "the question has {} bytes, expected at most {}",
          question.size(), kQuestionBytesMax);
  }
  PromptForm form = PromptFormOf(library, model);
  if (form.question) return form;
  const std::string name =
      model.place.name.empty() ? model.identity.fingerprint.ShortHex() : model.place.name;
  Throw(ErrorKind::kInvalidArgument,
        "the model {} has no {}, so it is not known how a question is put to it; say it once with "
        "`statelib model set {} prompt.question '\\nQuestion: {}\\nAnswer:'` and `statelib model "
        "set {} prompt.stop '\\n'`, or in whatever form the model was trained with",
        model.Label(), kPromptCardName, name, kQuestionField, name);
}

}  // namespace

AskedAnswer Ask(const Library& library, const LoadedModel& model,
                const storage::ResolvedState& state, std::string_view question,
                const AskOptions& options) {
  AskedAnswer answer;
  answer.question = Trimmed(question);
  const PromptForm form = FormFor(library, model, answer.question);
  LoadedState loaded = LoadState(library, model, state);
  answer.tokens_restored = loaded.state.token_count();
  answer.restore_seconds = loaded.seconds;
  answer.origin = std::move(loaded.origin);

  TrimmedStream stream(options.on_text);
  engine::GenerateOptions generate;
  generate.tokens_max = options.tokens_max;
  if (form.stop && !form.stop->empty()) generate.stop = {*form.stop};
  generate.keep_state = false;
  generate.cancel = options.cancel;
  generate.on_text = [&](std::string_view piece) { stream.Push(piece); };
  generate.on_first_token = options.on_first_token;
  const std::vector<TokenId> prompt =
      model.runtime->tokenizer().Encode(PromptOf(form, answer.question));
  answer.generation = engine::Generate(*model.runtime, loaded.state, prompt, generate);
  answer.text = Trimmed(answer.generation.text);
  if (form.refusal && !form.refusal->empty())
    answer.refused = answer.text == Trimmed(*form.refusal);
  answer.passages = PassagesFor(library, state, answer.question, options.passages_max);
  return answer;
}

}  // namespace statelib::library
