// SPDX-License-Identifier: Apache-2.0
#include "core/engine/tokenizer_mistakes.h"

#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/utf8.h"

namespace statelib::engine {

namespace {

namespace fs = std::filesystem;

constexpr size_t kHeadBytes = 4096;

/// A kind of file, known by how it begins.
struct Beginning {
  std::string_view bytes;
  const char* what;
};
constexpr Beginning kBeginnings[] = {
    {"PK\x03\x04", "a zip archive, as PyTorch writes weights"},
    {"\x80\x02", "a pickle, as PyTorch writes weights"},
    {"version https://git-lfs", "a git-lfs pointer, which `git lfs pull` replaces by the file"},
    {"#version", "a merges.txt, which has merges without their tokens"},
};

/// A kind of JSON object, known by one of its members.
struct Member {
  const char* name;
  const char* what;
};
constexpr Member kMembers[] = {
    {"added_tokens_decoder", "a tokenizer_config.json, which has no vocabulary"},
    {"tokenizer_class", "a tokenizer_config.json, which has no vocabulary"},
    {"weight_map", "the index of a model's weights"},
    {"model_type", "a model's config.json"},
    {"architectures", "a model's config.json"},
    {"d_model", "a model's config.json"},
    {"eos_token_id", "a generation_config.json, which has no vocabulary"},
    {"eos_token", "a special_tokens_map.json, which has no vocabulary"},
};

/// The protocol buffer of a SentencePiece model: its first field is a message whose first field is
/// the text of the first piece.
bool BeginsAsSentencePiece(std::string_view text) {
  return text.size() > 8 && text[0] == '\x0a' && text[2] == '\x0a' &&
         static_cast<uint8_t>(text[3]) + 4u <= text.size() && text[4] == '<';
}

bool HoldsNumbersAlone(const JsonValue& object) {
  bool numbers = object.size() > 0;
  object.ForEachMemberUnchecked(
      [&numbers](std::string_view, const JsonValue& value) { numbers &= value.IsInteger(); });
  return numbers;
}

std::string OtherJson(ByteSpan file) {
  const JsonDocument document = JsonDocument::Parse(file, "");
  const JsonValue root = document.root();
  if (!root.IsObject()) return "JSON that is no object";
  if (const auto model = root.Find("model"); model && model->IsObject()) return "";
  for (const Member& member : kMembers)
    if (root.Find(member.name)) return member.what;
  if (HoldsNumbersAlone(root)) return "a vocab.json, which has tokens without their merges";
  return "a JSON file without the member \"model\"";
}

/// Whether the beginning of a file reads as lines of text.
bool IsText(std::string_view head) {
  // A character may be cut at the end.
  return ValidPrefixLength(head) + 4 > head.size() && head.find('\0') == std::string_view::npos &&
         head.find('\n') != std::string_view::npos;
}

}  // namespace

std::string OtherThanTokenizer(ByteSpan file) {
  const std::string_view text = AsText(file);
  if (text.empty()) return "an empty file";
  for (const Beginning& beginning : kBeginnings)
    if (text.starts_with(beginning.bytes)) return beginning.what;
  if (BeginsAsSentencePiece(text)) return "a SentencePiece model (tokenizer.model)";
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "an empty file";
  const bool object = text[first] == '{';
  try {
    if (object || text[first] == '[') return OtherJson(file);
  } catch (const Error&) {
    if (object) return "";  // broken: the tokenizer's reader says where
  }
  return IsText(text.substr(0, kHeadBytes)) ? "text, as a vocab.txt has" : "";
}

void RefuseAsTokenizer(const fs::path& path, const std::string& what) {
  std::error_code ignored;
  const fs::path folder = fs::is_directory(path, ignored) ? path : path.parent_path();
  const fs::path beside = folder / "tokenizer.json";
  const bool there = beside != path && fs::exists(beside, ignored);
  Throw(ErrorKind::kInvalidArgument, "{}: expected a tokenizer.json or a GGUF file, found {}; {}",
        path.string(), what,
        there ? fmt::format("name {}", beside.string())
              : "name the tokenizer.json that was published with it, or write one with "
                "transformers (save_pretrained)");
}

}  // namespace statelib::engine
