// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_writer.h"

#include <limits>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/gguf_file.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kAlignment = 32;
// ggml keeps names in 64 bytes with a zero behind them.
constexpr size_t kNameMax = 63;
constexpr size_t kRankMax = 4;

template <typename T>
void AppendLittle(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void AppendText(std::string& to, std::string_view text) {
  AppendLittle(to, uint64_t{text.size()});
  to += text;
}

uint64_t PaddingOf(uint64_t size) { return (kAlignment - size % kAlignment) % kAlignment; }

/// A tensor's description: name, axes with the fastest first, type, offset in the data.
void AppendDescription(std::string& to, const TensorToWrite& tensor, uint64_t offset,
                       const std::string& path) {
  const std::optional<uint32_t> type = InfoOf(tensor.type).ggml;
  if (tensor.name.size() > kNameMax || tensor.shape.size() > kRankMax || !type) {
    Throw(ErrorKind::kUnsupported,
          "{}: tensor {}: expected a name of at most {} bytes, at most {} axes and a type of ggml, "
          "found {} {}",
          path, Quoted(tensor.name), kNameMax, kRankMax, NameOf(tensor.type),
          ShapeText(tensor.shape));
  }
  AppendText(to, tensor.name);
  AppendLittle(to, static_cast<uint32_t>(tensor.shape.size()));
  for (auto axis = tensor.shape.rbegin(); axis != tensor.shape.rend(); ++axis) {
    AppendLittle(to, *axis);
  }
  AppendLittle(to, *type);
  AppendLittle(to, offset);
}

}  // namespace

void GgufMetadataWriter::Begin(std::string_view key, GgufType type) {
  AppendText(bytes_, key);
  AppendLittle(bytes_, static_cast<uint32_t>(type));
  ++count_;
}

void GgufMetadataWriter::AddString(std::string_view key, std::string_view value) {
  Begin(key, GgufType::kString);
  AppendText(bytes_, value);
}

void GgufMetadataWriter::AddU32(std::string_view key, uint64_t value) {
  if (value > std::numeric_limits<uint32_t>::max()) {
    Throw(ErrorKind::kUnsupported, "{}: expected a number of 32 bits, found {}", key, value);
  }
  Begin(key, GgufType::kU32);
  AppendLittle(bytes_, static_cast<uint32_t>(value));
}

void GgufMetadataWriter::AddF32(std::string_view key, float value) {
  Begin(key, GgufType::kF32);
  AppendLittle(bytes_, value);
}

void GgufMetadataWriter::AddBool(std::string_view key, bool value) {
  Begin(key, GgufType::kBool);
  AppendLittle(bytes_, static_cast<uint8_t>(value));
}

void GgufMetadataWriter::AddStrings(std::string_view key, std::span<const std::string> values) {
  Begin(key, GgufType::kArray);
  AppendLittle(bytes_, static_cast<uint32_t>(GgufType::kString));
  AppendLittle(bytes_, uint64_t{values.size()});
  for (const std::string& value : values) AppendText(bytes_, value);
}

void GgufMetadataWriter::AddI32s(std::string_view key, std::span<const int32_t> values) {
  Begin(key, GgufType::kArray);
  AppendLittle(bytes_, static_cast<uint32_t>(GgufType::kI32));
  AppendLittle(bytes_, uint64_t{values.size()});
  for (const int32_t value : values) AppendLittle(bytes_, value);
}

void GgufMetadataWriter::AddCopy(const GgufValue& value) {
  Begin(value.key(), value.type());
  if (value.IsArray()) {
    AppendLittle(bytes_, static_cast<uint32_t>(value.element_type()));
    AppendLittle(bytes_, value.count());
  }
  bytes_ += AsText(value.payload());
}

void WriteGguf(FileSystem& files, const std::filesystem::path& path,
               const GgufMetadataWriter& metadata, std::span<const TensorToWrite> tensors) {
  CheckTensorsToWrite(tensors, path.string());
  std::string header = "GGUF";
  AppendLittle(header, kVersion);
  AppendLittle(header, uint64_t{tensors.size()});
  AppendLittle(header, metadata.count());
  header += metadata.bytes();
  uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    AppendDescription(header, tensor, offset, path.string());
    const uint64_t bytes = StorageBytes(tensor.type, tensor.shape).value_or(0);
    offset += bytes + PaddingOf(bytes);
  }
  header.append(PaddingOf(header.size()), '\0');
  AtomicFile file(files, path);
  file.Append(AsBytes(header));
  for (const TensorToWrite& tensor : tensors) {
    const uint64_t bytes = AppendTensor(tensor, file);
    file.Append(AsBytes(std::string(PaddingOf(bytes), '\0')));
  }
  file.Commit();
}

}  // namespace statelib::model_files
