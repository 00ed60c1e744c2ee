// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/safetensors_writer.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/checkpoint/quoted.h"

namespace statelib::checkpoint {

namespace {

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr size_t kHeaderAlignment = 8;

std::string JsonString(const std::string& text, const std::filesystem::path& path) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected names in UTF-8, found {}", path.string(),
          Quoted(text));
  }
}

void CheckEntries(std::span<const SafetensorsEntry> entries, const std::filesystem::path& path) {
  std::set<std::string_view> names;
  for (const SafetensorsEntry& entry : entries) {
    if (!IsPlainName(entry.name) || entry.name == kMetadataKey ||
        !names.insert(entry.name).second) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected plain tensor names, each once, found {}",
            path.string(), Quoted(entry.name));
    }
    const std::optional<uint64_t> bytes = StorageBytes(entry.type, entry.shape);
    if (IsBlockType(entry.type) || bytes != entry.bytes.size()) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: tensor {}: expected a plain type and the bytes of its shape, found {} {} with {} "
            "bytes",
            path.string(), Quoted(entry.name), NameOf(entry.type), ShapeText(entry.shape),
            entry.bytes.size());
    }
  }
}

/// The entries in the order in which they lie in the file.
std::vector<const SafetensorsEntry*> InFileOrder(std::span<const SafetensorsEntry> entries) {
  std::vector<const SafetensorsEntry*> order;
  for (const SafetensorsEntry& entry : entries) order.push_back(&entry);
  std::ranges::sort(order, [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
    if (a->type != b->type) return a->type > b->type;  // the enumeration grows with alignment
    return a->name < b->name;
  });
  return order;
}

std::string HeaderOf(const std::vector<const SafetensorsEntry*>& order,
                     const SafetensorsMetadata& metadata, const std::filesystem::path& path) {
  std::string header;
  if (!metadata.empty()) {
    std::string members;
    for (const auto& [key, value] : metadata) {
      members += fmt::format("{}{}:{}", members.empty() ? "" : ",", JsonString(key, path),
                             JsonString(value, path));
    }
    header = fmt::format("\"{}\":{{{}}}", kMetadataKey, members);
  }
  uint64_t offset = 0;
  for (const SafetensorsEntry* entry : order) {
    std::string shape;
    for (const int64_t axis : entry->shape) {
      shape += fmt::format("{}{}", shape.empty() ? "" : ",", axis);
    }
    header += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                          header.empty() ? "" : ",", JsonString(entry->name, path),
                          NameOf(entry->type), shape, offset, offset + entry->bytes.size());
    offset += entry->bytes.size();
  }
  header = "{" + header + "}";
  header.resize((header.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  return header;
}

}  // namespace

SafetensorsMetadata PublishedMetadata() { return {{"format", "pt"}}; }

void WriteSafetensors(FileSystem& files, const std::filesystem::path& path,
                      std::span<const SafetensorsEntry> entries,
                      const SafetensorsMetadata& metadata) {
  CheckEntries(entries, path);
  const std::vector<const SafetensorsEntry*> order = InFileOrder(entries);
  const std::string header = HeaderOf(order, metadata, path);
  const uint64_t length = header.size();
  const std::filesystem::path temporary = fmt::format("{}.{}.part", path.string(), ::getpid());
  bool created = false;
  try {
    const std::unique_ptr<WritableFile> file = files.Create(temporary);
    created = true;
    file->Append(std::as_bytes(std::span(&length, 1)));
    file->Append(AsBytes(header));
    for (const SafetensorsEntry* entry : order) file->Append(entry->bytes);
    file->Sync();
    file->Close();
    files.Rename(temporary, path);
  } catch (const Error&) {
    try {
      if (created) files.Remove(temporary);
    } catch (const Error&) {
      // The first error is the one to report.
    }
    throw;
  }
  files.SyncDirectory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace statelib::checkpoint
