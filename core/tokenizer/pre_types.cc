// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/pre_types.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/tokenizer/pre_tokenizer.h"

namespace statelib::tokenizer {

namespace {

using Texts = const std::string_view[];

constexpr Texts kGpt2 = {kGpt2Expression};
// Digits stand alone in the byte alphabet, where some bytes of other characters are numbers ("²").
constexpr const char* kFalcon =
    R"({"type":"Sequence","pretokenizers":[{"type":"Punctuation","behavior":"Contiguous"},)"
    R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true},)"
    R"({"type":"Digits","individual_digits":false},)"
    R"({"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated","invert":false}]})";
constexpr Texts kDefault = {R"([\p{P}$+<=>^~|]+)", kGpt2Expression, R"(\p{N}+)", "[0-9][0-9][0-9]"};
constexpr Texts kSingleDigits = {R"(\p{N})", kGpt2Expression};
constexpr Texts kLlama3 = {kLlama3Expression};
constexpr Texts kQwen2 = {kQwen2Expression};
constexpr Texts kQwen35 = {kQwen35Expression};
constexpr Texts kTekken = {kTekkenExpression};
// As in the published tokenizer.json files, where every digit stands alone; llama.cpp keeps the
// digits of deepseek-llm together.
constexpr std::string_view kDeepseekHan = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";
constexpr Texts kDeepseekLlm = {kLineBreak,
                                kDeepseekLlmWord,
                                "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
                                R"(\s+$)",
                                kDeepseekHan,
                                R"(\p{N})"};
constexpr Texts kDeepseekCoder = {kLineBreak, kDeepseekCoderWord, R"(\s?\p{P}+)", kDeepseekHan,
                                  R"(\p{N})"};

// GPT-NeoX's file goes by "mpt" and "olmo" there, which took its tokenizer over.
constexpr Texts kNeoxNames = {"gpt-neox", "mpt", "olmo"};
constexpr Texts kGpt2Names = {"gpt-2", "phi-2", "jais", "trillion", "gigachat", "mellum"};
constexpr Texts kFalconNames = {"falcon"};
constexpr Texts kDefaultNames = {"default"};
constexpr Texts kSingleDigitNames = {"starcoder", "refact", "command-r", "smollm",
                                     "codeshell", "exaone", "minerva-7b"};
constexpr Texts kLlama3Names = {"llama3",    "llama-v3", "llama-bpe", "falcon3",
                                "falcon-h1", "pixtral",  "lfm2"};
constexpr Texts kPlainLlama3Names = {"dbrx", "smaug-bpe"};
constexpr Texts kQwen2Names = {"qwen2", "deepseek-r1-qwen", "megrez"};
constexpr Texts kQwen35Names = {"qwen35"};
constexpr Texts kStableLm2Names = {"stablelm2", "hunyuan"};
constexpr Texts kTekkenNames = {"tekken"};
constexpr Texts kDeepseekLlmNames = {"deepseek-llm"};
constexpr Texts kDeepseekCoderNames = {"deepseek-coder"};

constexpr PreType kPreTypes[] = {
    {.names = kNeoxNames, .expressions = kGpt2, .composes = true},
    {.names = kGpt2Names, .expressions = kGpt2},
    {.names = kFalconNames, .published = kFalcon},
    {.names = kDefaultNames, .expressions = kDefault},
    {.names = kSingleDigitNames, .expressions = kSingleDigits},
    {.names = kLlama3Names, .expressions = kLlama3, .ignores_merges = true, .adds_begin = true},
    {.names = kPlainLlama3Names, .expressions = kLlama3},
    {.names = kQwen2Names, .expressions = kQwen2, .composes = true},
    {.names = kQwen35Names, .expressions = kQwen35, .composes = true},
    {.names = kStableLm2Names, .expressions = kQwen2},
    {.names = kTekkenNames, .expressions = kTekken, .ignores_merges = true, .adds_begin = true},
    {.names = kDeepseekLlmNames, .expressions = kDeepseekLlm},
    {.names = kDeepseekCoderNames, .expressions = kDeepseekCoder},
};

}  // namespace

const PreType& FindPreType(std::string_view pre, const std::string& file) {
  if (pre.empty()) {
    Throw(ErrorKind::kUnsupported,
          "{}: expected the name of a pre-tokenizer under tokenizer.ggml.pre, found none, and the "
          "vocabulary is not GPT-NeoX's; convert the model again with a newer llama.cpp, or name "
          "its tokenizer.json with --tokenizer FILE",
          file);
  }
  std::vector<std::string_view> known;
  for (const PreType& type : kPreTypes) {
    if (std::find(type.names.begin(), type.names.end(), pre) != type.names.end()) return type;
    known.insert(known.end(), type.names.begin(), type.names.end());
  }
  Throw(ErrorKind::kUnsupported,
        "{}: tokenizer.ggml.pre: unsupported pre-tokenizer \"{}\"; supported: {}; or name a "
        "tokenizer.json with --tokenizer FILE",
        file, pre, fmt::join(known, ", "));
}

}  // namespace statelib::tokenizer
