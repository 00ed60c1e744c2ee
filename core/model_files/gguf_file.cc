// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_file.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/byte_cursor.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr uint32_t kOldestVersion = 2;
constexpr uint32_t kNewestVersion = 3;
constexpr uint64_t kTensorsMax = 200'000;
constexpr uint64_t kTensorBytesLeast = 24;  // a description: name length, rank, type, offset
constexpr size_t kNameMax = 64;
constexpr uint32_t kRankMax = 4;
constexpr uint64_t kAlignmentDefault = 32;
constexpr uint64_t kAlignmentMax = 1 << 20;

/// A tensor type of ggml that is none of ElementType: statelib has no arithmetic for it.
struct OtherType {
  uint32_t number;
  const char* name;
};

constexpr OtherType kOtherTypes[] = {
    {9, "Q8_1"},    {10, "Q2_K"},    {11, "Q3_K"},  {15, "Q8_K"},   {16, "IQ2_XXS"},
    {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"},
    {22, "IQ2_S"},  {23, "IQ4_XS"},  {29, "IQ1_M"}, {34, "TQ1_0"},  {35, "TQ2_0"},
    {39, "MXFP4"},  {40, "NVFP4"},   {41, "Q1_0"},  {42, "Q2_0"},
};

ElementType TypeOf(uint32_t number, const std::string& place) {
  if (const auto type = ElementTypeFromGgml(number)) return *type;
  const auto other = std::ranges::find(kOtherTypes, number, &OtherType::number);
  if (other == std::end(kOtherTypes)) {
    Throw(ErrorKind::kCorrupt, "{}: expected a tensor type of ggml, found the number {}", place,
          number);
  }
  Throw(ErrorKind::kUnsupported, "{}: expected {}, found {}; use the model in one of these types",
        place, WeightTypeNames(), other->name);
}

void ReadVersion(ByteCursor* cursor, const std::string& path) {
  const auto version = cursor->Read<uint32_t>("version");
  if (version >= kOldestVersion && version <= kNewestVersion) return;
  if ((version & 0xffff) == 0 && version != 0) {
    Throw(ErrorKind::kUnsupported,
          "{}: expected a little-endian GGUF file, found a big-endian one; convert the model again "
          "on a little-endian machine",
          path);
  }
  Throw(ErrorKind::kUnsupported,
        "{}: expected GGUF version {} or {}, found {}; convert the model {}", path, kOldestVersion,
        kNewestVersion, version,
        version < kOldestVersion ? "again with a current converter"
                                 : "for these versions, or use a newer statelib");
}

uint64_t AlignmentOf(const GgufMetadata& metadata, const std::string& path) {
  const GgufValue* value = metadata.Find("general.alignment");
  if (value == nullptr) return kAlignmentDefault;
  const uint64_t alignment = value->Uint(kAlignmentMax);
  if (!std::has_single_bit(alignment)) {
    Throw(ErrorKind::kCorrupt,
          "{}: metadata \"general.alignment\": expected a power of two, found {}", path, alignment);
  }
  return alignment;
}

/// A tensor with its place in the data.
struct Placed {
  TensorRef tensor;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

Placed ReadDescription(ByteCursor* cursor, const std::shared_ptr<const std::string>& path) {
  const std::string_view name = ReadGgufString(cursor, "tensor name");
  if (!IsPlainName(name) || name.size() > kNameMax) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected tensor names of 1 to {} bytes without control characters, found {}", *path,
          kNameMax, Quoted(name));
  }
  const std::string place = fmt::format("{}: tensor {}", *path, Quoted(name));
  const auto rank = cursor->Read<uint32_t>("number of axes");
  if (rank > kRankMax) {
    Throw(ErrorKind::kCorrupt, "{}: expected at most {} axes, found {}", place, kRankMax, rank);
  }
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < rank; ++i) shape.push_back(cursor->Read<int64_t>("axis"));
  std::ranges::reverse(shape);
  Placed placed;
  const ElementType type = TypeOf(cursor->Read<uint32_t>("tensor type"), place);
  placed.tensor = {std::string(name), type, std::move(shape), {}, path};
  placed.offset = cursor->Read<uint64_t>("tensor offset");
  const std::optional<uint64_t> bytes = StorageBytes(type, placed.tensor.shape);
  if (!bytes) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected axes that fit a file and rows of whole blocks of {} elements",
          placed.tensor.Label(), InfoOf(type).block_elements);
  }
  placed.bytes = *bytes;
  return placed;
}

uint64_t RoundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Gives every tensor its bytes after checking that each begins where the padded one before it
/// ends.
std::vector<TensorRef> PlaceInData(std::vector<Placed> placed, ByteSpan data, uint64_t alignment) {
  uint64_t reached = 0;
  std::vector<TensorRef> tensors;
  for (Placed& each : placed) {
    if (each.offset != reached) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected its data at offset {}, where the tensor before it ends, found {}",
            each.tensor.Label(), reached, each.offset);
    }
    if (reached > data.size() || each.bytes > data.size() - reached) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected {} bytes at offset {} of the data, found only {} bytes of data; the file "
            "is cut short: fetch it again",
            each.tensor.Label(), each.bytes, reached, data.size());
    }
    each.tensor.bytes = data.subspan(reached, each.bytes);
    reached += RoundUp(each.bytes, alignment);
    tensors.push_back(std::move(each.tensor));
  }
  return tensors;
}

}  // namespace

bool BeginsAsGguf(ByteSpan file) {
  return file.size() >= kMagic.size() && AsText(file.first(kMagic.size())) == kMagic;
}

GgufContents ParseGguf(ByteSpan file, const std::string& path) {
  if (!BeginsAsGguf(file)) {
    Throw(ErrorKind::kCorrupt, "{}: expected a GGUF file, which begins with \"GGUF\", found {}",
          path, Quoted(AsText(file.first(std::min(file.size(), kMagic.size())))));
  }
  ByteCursor cursor(file, path + ": header");
  cursor.Take(kMagic.size(), "magic");
  ReadVersion(&cursor, path);
  const auto tensor_count = cursor.Read<uint64_t>("tensor count");
  const auto value_count = cursor.Read<uint64_t>("metadata count");
  GgufContents contents;
  contents.metadata = ReadGgufMetadata(&cursor, value_count, path);
  const uint64_t most = std::min(kTensorsMax, cursor.left() / kTensorBytesLeast);
  if (tensor_count > most) {
    Throw(ErrorKind::kCorrupt, "{}: expected at most {} tensors, found {}", path, most,
          tensor_count);
  }
  const auto shared_path = std::make_shared<const std::string>(path);
  std::vector<Placed> placed;
  for (uint64_t i = 0; i < tensor_count; ++i) {
    placed.push_back(ReadDescription(&cursor, shared_path));
  }
  const uint64_t alignment = AlignmentOf(contents.metadata, path);
  // A file without tensors may end before the padding.
  const uint64_t start = std::min<uint64_t>(RoundUp(cursor.at(), alignment), file.size());
  contents.tensors = PlaceInData(std::move(placed), file.subspan(start), alignment);
  return contents;
}

GgufFile::GgufFile(MappedFile file, GgufContents contents)
    : file_(std::move(file)),
      metadata_(std::move(contents.metadata)),
      tensors_(std::move(contents.tensors), file_.path().string()) {}

GgufFile GgufFile::Open(const std::filesystem::path& path) {
  MappedFile file = MappedFile::Open(path);
  GgufContents contents = ParseGguf(file.bytes(), path.string());
  return GgufFile(std::move(file), std::move(contents));
}

}  // namespace statelib::model_files
