// SPDX-License-Identifier: Apache-2.0
#include "core/model/packed_file.h"

#include "core/base/error.h"
#include "core/base/random_name.h"

namespace statelib::model {

namespace {

constexpr std::string_view kMagic = "statelib packed1";
constexpr size_t kAlignment = 64;
constexpr size_t kEntryBytes = 40;
constexpr size_t kDigestBytes = sizeof(Digest::bytes);
constexpr size_t kTailBytes = 16 + 3 * 8 + 2 * kDigestBytes;

template <typename T>
void Put(T value, Bytes& to) {
  to.resize(to.size() + sizeof(T));
  StoreLittle(value, to.data() + to.size() - sizeof(T));
}

void Put(ByteSpan bytes, Bytes& to) { to.insert(to.end(), bytes.begin(), bytes.end()); }

[[noreturn]] void ThrowCorrupt(const std::filesystem::path& path, const char* what) {
  Throw(ErrorKind::kCorrupt, "{}: not a whole file of packed weights: {}", path.string(), what);
}

}  // namespace

PackedFile PackedFile::Open(const std::filesystem::path& path, const Digest& key, size_t parts) {
  MappedFile file = MappedFile::Open(path);
  const ByteSpan bytes = file.bytes();
  if (bytes.size() < kTailBytes) ThrowCorrupt(path, "it is too short");
  const ByteSpan tail = bytes.last(kTailBytes);
  if (AsText(tail.first(kMagic.size())) != kMagic) ThrowCorrupt(path, "it ends otherwise");
  const auto size = LoadLittle<uint64_t>(tail.data() + 16),
             table_begin = LoadLittle<uint64_t>(tail.data() + 24),
             count = LoadLittle<uint64_t>(tail.data() + 32);
  if (size != bytes.size()) ThrowCorrupt(path, "it was cut or grew");
  const uint64_t table_end = bytes.size() - kTailBytes;
  if (count > table_end / kEntryBytes || table_begin != table_end - count * kEntryBytes) {
    ThrowCorrupt(path, "its table lies elsewhere");
  }
  const ByteSpan hashed =
      bytes.subspan(table_begin, count * kEntryBytes + kTailBytes - kDigestBytes);
  if (HashOf(hashed) != Digest::FromBytes(tail.last(kDigestBytes))) {
    ThrowCorrupt(path, "its table is damaged");
  }
  if (Digest::FromBytes(tail.subspan(40, kDigestBytes)) != key || count != parts) {
    Throw(ErrorKind::kMismatch, "{}: packed weights of another model or format", path.string());
  }
  file.PreferHugePages();
  std::vector<PackedPart> all;
  for (uint64_t i = 0; i < count; ++i) {
    const std::byte* entry = bytes.data() + table_begin + i * kEntryBytes;
    const auto offset = LoadLittle<uint64_t>(entry), length = LoadLittle<uint64_t>(entry + 8);
    if (offset % kAlignment != 0 || offset > table_begin || length > table_begin - offset) {
      ThrowCorrupt(path, "a part lies outside of it");
    }
    const kernels::MatrixDescription description = {LoadLittle<uint32_t>(entry + 16),
                                                    LoadLittle<uint64_t>(entry + 24),
                                                    LoadLittle<uint64_t>(entry + 32)};
    all.push_back({description, bytes.subspan(offset, length)});
  }
  return {std::move(file), std::move(all)};
}

PackedFileWriter::PackedFileWriter(FileSystem& files, std::filesystem::path path)
    : files_(files), path_(std::move(path)) {
  temporary_ = TemporaryBeside(path_);
  files_.CreateDirectories(path_.parent_path());
  file_ = files_.Create(temporary_);
}

PackedFileWriter::~PackedFileWriter() {
  if (!file_) return;
  file_.reset();
  try {
    files_.Remove(temporary_);
  } catch (const Error&) {
    // It stays behind, and gc removes it.
  }
}

void PackedFileWriter::Write(ByteSpan bytes) {
  file_->Append(bytes);
  size_ += bytes.size();
}

void PackedFileWriter::Append(const kernels::MatrixDescription& description, ByteSpan bytes) {
  Put(size_, table_);
  Put(uint64_t{bytes.size()}, table_);
  Put(description.kind, table_);
  Put(uint32_t{0}, table_);
  Put(description.rows, table_);
  Put(description.cols, table_);
  ++parts_;
  Write(bytes);
  Write(Bytes((kAlignment - size_ % kAlignment) % kAlignment));
}

void PackedFileWriter::Finish(const Digest& key) {
  Bytes end = std::move(table_);
  const size_t table_bytes = end.size();
  Put(AsBytes(kMagic), end);
  Put(uint64_t{size_ + table_bytes + kTailBytes}, end);
  Put(size_, end);
  Put(parts_, end);
  Put(ByteSpan(key.bytes), end);
  Put(ByteSpan(HashOf(end).bytes), end);
  Write(end);
  file_->Sync();
  file_->Close();
  files_.Rename(temporary_, path_);
  file_.reset();
  files_.SyncDirectory(path_.parent_path());
  ForgetCached(path_);
}

}  // namespace statelib::model
