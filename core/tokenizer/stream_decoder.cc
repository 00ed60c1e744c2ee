// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/stream_decoder.h"

#include <utility>

namespace statelib::tokenizer {

class StreamDecoder::Output final : public TextSink {
 public:
  void Push(std::string_view text) override { text_ += text; }
  void Flush() override {}
  std::string Take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(tokenizer), skip_special_(skip_special) {
  Begin();
}

void StreamDecoder::Begin() {
  auto output = std::make_unique<Output>();
  output_ = output.get();
  steps_ = tokenizer_.decoder().Start(std::move(output));
}

std::string StreamDecoder::Push(TokenId id) {
  if (skip_special_ && tokenizer_.IsSpecial(id)) return {};
  const auto token = tokenizer_.Content(id);
  if (!token) return {};
  steps_->Push(*token);
  return output_->Take();
}

std::string StreamDecoder::Flush() {
  steps_->Flush();
  std::string rest = output_->Take();
  Begin();
  return rest;
}

}  // namespace statelib::tokenizer
