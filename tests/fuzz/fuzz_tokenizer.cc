// SPDX-License-Identifier: Apache-2.0
// A tokenizer.json, a zero byte, and a text to encode and decode.
#include <algorithm>
#include <string>

#include "core/base/utf8.h"
#include "core/tokenizer/stream_decoder.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::tokenizer {
namespace {

void ReadAndUse(ByteSpan input) {
  const auto end = std::find(input.begin(), input.end(), std::byte{0});
  const auto json = input.first(static_cast<size_t>(end - input.begin()));
  const auto tokenizer = Tokenizer::Parse(json, "tokenizer.json");
  const std::string_view text(reinterpret_cast<const char*>(input.data()) + json.size(),
                              input.size() - json.size());
  const std::vector<TokenId> ids = tokenizer->Encode(text);
  const std::string decoded = tokenizer->Decode(ids);
  Promise(ValidPrefixLength(decoded) == decoded.size());
  StreamDecoder stream(*tokenizer, true);
  for (const TokenId id : ids) {
    const std::string part = stream.Push(id);
    Promise(ValidPrefixLength(part) == part.size());
    tokenizer->BytesOf(id);
  }
  stream.Flush();
}

}  // namespace
}  // namespace statelib::tokenizer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::tokenizer::ReadAndUse);
}
