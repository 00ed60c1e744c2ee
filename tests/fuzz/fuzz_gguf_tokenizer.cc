// SPDX-License-Identifier: Apache-2.0
// A GGUF file whose tokenizer is built and used on the file's own bytes.
#include "core/base/utf8.h"
#include "core/engine/embedded_vocabulary_reader.h"
#include "core/model_files/gguf_file.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::engine {
namespace {

void ReadAndUse(ByteSpan file) {
  const model_files::GgufContents contents = model_files::ParseGguf(file, "m.gguf");
  const auto vocabulary = ReadEmbeddedVocabulary(contents.metadata);
  if (!vocabulary) return;
  const auto tokenizer = tokenizer::Tokenizer::Build(*vocabulary, "m.gguf");
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const std::vector<TokenId> ids = tokenizer->Encode(text);
  for (const TokenId id : ids) {
    Promise(id >= 0 && static_cast<size_t>(id) < vocabulary->tokens.size());
  }
  const std::string decoded = tokenizer->Decode(ids);
  Promise(ValidPrefixLength(decoded) == decoded.size());
}

}  // namespace
}  // namespace statelib::engine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::engine::ReadAndUse);
}
