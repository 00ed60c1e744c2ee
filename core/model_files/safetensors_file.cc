// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/safetensors_file.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/lfs_pointer.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr uint64_t kHeaderMax = 100'000'000;  // the format's own limit
constexpr size_t kRankMax = 16;
constexpr uint64_t kAnyOffset = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kAxisMax = std::numeric_limits<int64_t>::max();

/// A tensor of the header with its place in the data.
struct Entry {
  TensorRef tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

ByteSpan HeaderOf(ByteSpan file, const std::string& path) {
  RefuseLfsPointer(file, path);
  if (file.size() < sizeof(uint64_t)) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected a safetensors file, which begins with an 8-byte header length, found {} "
          "bytes in all; fetch the file again",
          path, file.size());
  }
  const auto length = LoadLittle<uint64_t>(file.data());
  const uint64_t room = file.size() - sizeof(uint64_t);
  if (length > std::min(room, kHeaderMax)) {
    Throw(ErrorKind::kCorrupt,
          "{}: header length: expected at most {} bytes, found {}; the file is cut short or is no "
          "safetensors file: fetch it again",
          path, std::min(room, kHeaderMax), length);
  }
  const ByteSpan header = file.subspan(sizeof(uint64_t), length);
  if (header.empty() || header[0] != std::byte{'{'}) {
    Throw(ErrorKind::kCorrupt, "{}: header: expected JSON that begins with '{{', found {}", path,
          header.empty() ? std::string("nothing") : Quoted(AsText(header.first(1))));
  }
  return header;
}

/// The three members of a tensor's description; each must stand there once.
struct Description {
  std::optional<JsonValue> dtype;
  std::optional<JsonValue> shape;
  std::optional<JsonValue> data_offsets;
};

Description DescriptionOf(const JsonValue& value) {
  Description description;
  value.ForEachMember([&](std::string_view key, const JsonValue& member) {
    if (key == "dtype") description.dtype = member;
    if (key == "shape") description.shape = member;
    if (key == "data_offsets") description.data_offsets = member;
  });
  if (!description.dtype || !description.shape || !description.data_offsets) {
    Throw(ErrorKind::kCorrupt, "{}: expected dtype, shape and data_offsets, found no {}",
          value.Path(),
          !description.dtype ? "dtype" : (!description.shape ? "shape" : "data_offsets"));
  }
  return description;
}

using TypeFromName = std::optional<ElementType> (*)(std::string_view);

ElementType TypeOf(const JsonValue& dtype, TypeFromName type_from_name) {
  const std::optional<ElementType> type = type_from_name(dtype.String());
  if (!type) {
    Throw(ErrorKind::kUnsupported, "{}: expected one of {}, found {}", dtype.Path(),
          PlainElementTypeNames(), Quoted(dtype.String()));
  }
  return *type;
}

std::vector<int64_t> ShapeOf(const JsonValue& value) {
  if (value.size() > kRankMax) {
    Throw(ErrorKind::kCorrupt, "{}: expected at most {} axes, found {}", value.Path(), kRankMax,
          value.size());
  }
  std::vector<int64_t> shape;
  value.ForEach(
      [&](const JsonValue& axis) { shape.push_back(static_cast<int64_t>(axis.Uint(kAxisMax))); });
  return shape;
}

std::pair<uint64_t, uint64_t> OffsetsOf(const JsonValue& value) {
  std::vector<uint64_t> offsets;
  if (value.IsArray() && value.size() == 2) {
    value.ForEach([&](const JsonValue& offset) { offsets.push_back(offset.Uint(kAnyOffset)); });
  }
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    Throw(ErrorKind::kCorrupt, "{}: expected two offsets [begin, end] with begin <= end, found {}",
          value.Path(),
          offsets.size() != 2 ? std::string("something else")
                              : fmt::format("[{}, {}]", offsets[0], offsets[1]));
  }
  return {offsets[0], offsets[1]};
}

Entry EntryOf(std::string_view name, const JsonValue& value, TypeFromName type_from_name,
              const std::shared_ptr<const std::string>& path) {
  if (!IsPlainName(name)) {
    Throw(ErrorKind::kCorrupt,
          "{}: header: expected tensor names of 1 to 1024 bytes without control characters, found "
          "{}",
          *path, Quoted(name));
  }
  const Description description = DescriptionOf(value);
  Entry entry;
  entry.tensor = {std::string(name),
                  TypeOf(*description.dtype, type_from_name),
                  ShapeOf(*description.shape),
                  {},
                  path};
  std::tie(entry.begin, entry.end) = OffsetsOf(*description.data_offsets);
  const std::optional<uint64_t> bytes = StorageBytes(entry.tensor.type, entry.tensor.shape);
  if (!bytes) {
    Throw(ErrorKind::kCorrupt, "{}: expected a shape that fills whole bytes and fits a file",
          entry.tensor.Label());
  }
  if (*bytes != entry.end - entry.begin) {
    Throw(ErrorKind::kCorrupt, "{}: data_offsets: expected {} bytes by dtype and shape, found {}",
          entry.tensor.Label(), *bytes, entry.end - entry.begin);
  }
  return entry;
}

SafetensorsMetadata MetadataOf(const JsonValue& value) {
  SafetensorsMetadata metadata;
  value.ForEachMember(
      [&](std::string_view key, const JsonValue& text) { metadata.emplace(key, text.String()); });
  return metadata;
}

/// Gives every entry its bytes after checking that they tile the data.
void PlaceInData(std::vector<Entry>& entries, ByteSpan data, const std::string& path) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t reached = 0;
  for (Entry& entry : entries) {
    if (entry.begin != reached) {
      Throw(ErrorKind::kCorrupt,
            "{}: data_offsets: expected the tensor to begin at {}, where the one before it ends, "
            "found {}",
            entry.tensor.Label(), reached, entry.begin);
    }
    if (entry.end > data.size()) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected its data to end at byte {} of the data, found only {} bytes; the file is "
            "cut short: fetch it again",
            entry.tensor.Label(), entry.end, data.size());
    }
    entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    reached = entry.end;
  }
  if (reached != data.size()) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected {} bytes of data by the header, found {}; the file is not the one that was "
          "written: fetch it again",
          path, reached, data.size());
  }
}

}  // namespace

SafetensorsContents ParseSafetensorsContents(ByteSpan file, const std::string& path,
                                             BlockTypes block_types) {
  const ByteSpan header = HeaderOf(file, path);
  const JsonDocument document = JsonDocument::Parse(header, path + ": header");
  const auto shared_path = std::make_shared<const std::string>(path);
  const TypeFromName type_from_name =
      block_types == BlockTypes::kAccepted ? AnyElementTypeFromName : ElementTypeFromName;
  SafetensorsContents contents;
  std::vector<Entry> entries;
  document.root().ForEachMember([&](std::string_view name, const JsonValue& value) {
    if (name == kSafetensorsMetadataKey) {
      contents.metadata = MetadataOf(value);
    } else {
      entries.push_back(EntryOf(name, value, type_from_name, shared_path));
    }
  });
  PlaceInData(entries, file.subspan(sizeof(uint64_t) + header.size()), path);
  contents.tensors.reserve(entries.size());
  for (Entry& entry : entries) contents.tensors.push_back(std::move(entry.tensor));
  return contents;
}

std::vector<TensorRef> ParseSafetensors(ByteSpan file, const std::string& path) {
  return ParseSafetensorsContents(file, path, BlockTypes::kRefused).tensors;
}

TensorFile OpenSafetensors(const std::filesystem::path& path) {
  MappedFile file = MappedFile::Open(path);
  std::vector<TensorRef> tensors = ParseSafetensors(file.bytes(), path.string());
  return TensorFile(std::move(file), std::move(tensors));
}

}  // namespace statelib::model_files
