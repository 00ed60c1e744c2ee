// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/zip_archive.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/byte_cursor.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kLocator64Signature = 0x07064b50;
constexpr size_t kCentralBytes = 46;  // of an entry, without its name
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64Bytes = 56;
constexpr size_t kLocator64Bytes = 20;
constexpr size_t kCommentMax = 0xffff;
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kEncryptedFlag = 1;
constexpr uint16_t kDescriptorFlag = 8;  // the sizes stand behind the data, not before it
constexpr uint16_t kSaturated16 = 0xffff;
constexpr uint32_t kSaturated32 = 0xffffffff;

/// Where the central directory lies, by the records at the end of the archive.
struct Directory {
  uint64_t entries = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
};

/// An entry of the central directory.
struct CentralEntry {
  std::string name;
  uint64_t size = 0;
  uint64_t header_offset = 0;
  uint64_t data_end = 0;
};

/// The offset of the end record, whose comment must reach the end of the file.
size_t FindEndRecord(ByteSpan archive, const std::string& path) {
  for (size_t comment = 0; comment + kEndBytes <= archive.size() && comment <= kCommentMax;
       ++comment) {
    const size_t at = archive.size() - kEndBytes - comment;
    if (LoadLittle<uint32_t>(&archive[at]) == kEndSignature &&
        LoadLittle<uint16_t>(&archive[at + 20]) == comment) {
      return at;
    }
  }
  Throw(ErrorKind::kCorrupt,
        "{}: expected the end record of a zip archive, found none in {} bytes; the file is cut "
        "short or is no torch.save file: fetch it again",
        path, archive.size());
}

void RequireOneDisk(uint64_t disk, const std::string& path) {
  if (disk != 0) {
    Throw(ErrorKind::kUnsupported, "{}: expected an archive in one piece, found part {} of several",
          path, disk);
  }
}

/// Reads the ZIP64 record that the locator before `end` points to. Returns where it begins.
size_t ReadEnd64(ByteSpan archive, size_t end, const std::string& path, Directory* directory) {
  const auto record = LoadLittle<uint64_t>(&archive[end - kLocator64Bytes + 8]);
  const uint64_t room = end - kLocator64Bytes;
  if (record > room || room - record < kEnd64Bytes ||
      LoadLittle<uint32_t>(&archive[record]) != kEnd64Signature ||
      LoadLittle<uint64_t>(&archive[record + 4]) != room - record - 12) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected a ZIP64 end record that reaches byte {}, found none at byte {}", path, room,
          record);
  }
  RequireOneDisk(LoadLittle<uint32_t>(&archive[record + 16]), path);
  *directory = {LoadLittle<uint64_t>(&archive[record + 32]),
                LoadLittle<uint64_t>(&archive[record + 40]),
                LoadLittle<uint64_t>(&archive[record + 48])};
  return record;
}

Directory ReadDirectory(ByteSpan archive, const std::string& path) {
  const size_t end = FindEndRecord(archive, path);
  Directory directory{LoadLittle<uint16_t>(&archive[end + 10]),
                      LoadLittle<uint32_t>(&archive[end + 12]),
                      LoadLittle<uint32_t>(&archive[end + 16])};
  size_t reached = end;
  if (end >= kLocator64Bytes &&
      LoadLittle<uint32_t>(&archive[end - kLocator64Bytes]) == kLocator64Signature) {
    const Directory small = directory;
    reached = ReadEnd64(archive, end, path, &directory);
    if ((small.entries != kSaturated16 && small.entries != directory.entries) ||
        (small.size != kSaturated32 && small.size != directory.size) ||
        (small.offset != kSaturated32 && small.offset != directory.offset)) {
      Throw(ErrorKind::kCorrupt, "{}: expected both end records to agree, found two directories",
            path);
    }
  } else {
    RequireOneDisk(LoadLittle<uint16_t>(&archive[end + 4]), path);
  }
  if (directory.offset > reached || directory.size != reached - directory.offset ||
      directory.entries > directory.size / kCentralBytes) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected a central directory that ends at byte {}, found {} entries in {} bytes at "
          "byte {}",
          path, reached, directory.entries, directory.size, directory.offset);
  }
  return directory;
}

/// Replaces the saturated ones of `values`, in order, by what the ZIP64 extra field says.
void ApplyZip64(ByteSpan extra, const std::string& path, std::initializer_list<uint64_t*> values) {
  ByteCursor fields(extra, path + ": extra field of a zip entry");
  while (fields.left() > 0) {
    const auto id = fields.Read<uint16_t>("id");
    const auto size = fields.Read<uint16_t>("size");
    const ByteSpan field = fields.Take(size, "content");
    if (id != kZip64Extra) continue;
    ByteCursor numbers(field, path + ": ZIP64 field of a zip entry");
    for (uint64_t* value : values) {
      if (*value == kSaturated32) *value = numbers.Read<uint64_t>("number");
    }
    return;
  }
}

void RequireStored(uint16_t flags, uint16_t method, const std::string& name,
                   const std::string& path) {
  if ((flags & kEncryptedFlag) != 0 || method != 0) {
    Throw(ErrorKind::kUnsupported,
          "{}: zip entry {}: expected bytes that are stored as they are, found {}; write the file "
          "by torch.save",
          path, Quoted(name),
          method != 0 ? fmt::format("compression method {}", method) : "encrypted ones");
  }
}

CentralEntry ReadCentralEntry(ByteCursor* cursor, const std::string& path) {
  const ByteSpan fixed = cursor->Take(kCentralBytes, "entry of the central directory");
  if (LoadLittle<uint32_t>(&fixed[0]) != kCentralSignature) {
    Throw(ErrorKind::kCorrupt, "{}: expected an entry of the central directory before byte {}",
          path, cursor->at());
  }
  CentralEntry entry;
  entry.name = AsText(cursor->Take(LoadLittle<uint16_t>(&fixed[28]), "name of an entry"));
  const ByteSpan extra = cursor->Take(LoadLittle<uint16_t>(&fixed[30]), "extra field");
  cursor->Take(LoadLittle<uint16_t>(&fixed[32]), "comment");
  if (!IsPlainName(entry.name)) {
    Throw(ErrorKind::kCorrupt, "{}: expected plain names of zip entries, found {}", path,
          Quoted(entry.name));
  }
  RequireStored(LoadLittle<uint16_t>(&fixed[8]), LoadLittle<uint16_t>(&fixed[10]), entry.name,
                path);
  RequireOneDisk(LoadLittle<uint16_t>(&fixed[34]), path);
  uint64_t compressed = LoadLittle<uint32_t>(&fixed[20]);
  entry.size = LoadLittle<uint32_t>(&fixed[24]);
  entry.header_offset = LoadLittle<uint32_t>(&fixed[42]);
  ApplyZip64(extra, path, {&entry.size, &compressed, &entry.header_offset});
  if (compressed != entry.size) {
    Throw(ErrorKind::kCorrupt, "{}: zip entry {}: expected {} stored bytes, found {}", path,
          Quoted(entry.name), entry.size, compressed);
  }
  return entry;
}

/// The bytes of an entry, after comparing its local header with the directory. `data` is what lies
/// before the directory.
ByteSpan BytesOf(CentralEntry* entry, ByteSpan data, const std::string& path) {
  if (entry->header_offset > data.size()) {
    Throw(ErrorKind::kCorrupt, "{}: zip entry {}: expected it before byte {}, found it at byte {}",
          path, Quoted(entry->name), data.size(), entry->header_offset);
  }
  ByteCursor cursor(data.subspan(entry->header_offset),
                    fmt::format("{}: zip entry {}", path, Quoted(entry->name)));
  const ByteSpan fixed = cursor.Take(30, "local header");
  const std::string_view name = AsText(cursor.Take(LoadLittle<uint16_t>(&fixed[26]), "name"));
  const ByteSpan extra = cursor.Take(LoadLittle<uint16_t>(&fixed[28]), "extra field");
  const auto flags = LoadLittle<uint16_t>(&fixed[6]);
  RequireStored(flags, LoadLittle<uint16_t>(&fixed[8]), entry->name, path);
  uint64_t compressed = LoadLittle<uint32_t>(&fixed[18]);
  uint64_t size = LoadLittle<uint32_t>(&fixed[22]);
  ApplyZip64(extra, path, {&size, &compressed});
  const bool sizes_behind = (flags & kDescriptorFlag) != 0;
  if (LoadLittle<uint32_t>(&fixed[0]) != kLocalSignature || name != entry->name ||
      (!sizes_behind && (size != entry->size || compressed != entry->size))) {
    Throw(ErrorKind::kCorrupt,
          "{}: zip entry {}: expected a local header that agrees with the directory, found another "
          "at byte {}",
          path, Quoted(entry->name), entry->header_offset);
  }
  const ByteSpan bytes = cursor.Take(entry->size, "data");
  entry->data_end = entry->header_offset + cursor.at();
  return bytes;
}

void RequireNoOverlap(std::vector<CentralEntry>& entries, const std::string& path) {
  std::ranges::sort(entries, {}, &CentralEntry::header_offset);
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].header_offset < entries[i - 1].data_end) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected zip entries apart from each other, found {} inside {}", path,
            Quoted(entries[i].name), Quoted(entries[i - 1].name));
    }
  }
}

}  // namespace

std::vector<ZipEntry> ReadStoredZip(ByteSpan archive, const std::string& path) {
  const Directory directory = ReadDirectory(archive, path);
  ByteCursor cursor(archive.subspan(directory.offset, directory.size), path + ": zip directory");
  std::vector<CentralEntry> central;
  std::vector<ZipEntry> entries;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    CentralEntry& entry = central.emplace_back(ReadCentralEntry(&cursor, path));
    entries.push_back({entry.name, BytesOf(&entry, archive.first(directory.offset), path)});
  }
  if (cursor.left() != 0) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} entries in the zip directory, found {} bytes more",
          path, directory.entries, cursor.left());
  }
  RequireNoOverlap(central, path);
  std::ranges::sort(entries, {}, &ZipEntry::name);
  const auto twice = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
  if (twice != entries.end()) {
    Throw(ErrorKind::kCorrupt, "{}: expected every zip entry once, found {} twice", path,
          Quoted(twice->name));
  }
  return entries;
}

const ZipEntry* FindEntry(const std::vector<ZipEntry>& entries, std::string_view name) {
  const auto found = std::ranges::lower_bound(entries, name, {}, &ZipEntry::name);
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

}  // namespace statelib::model_files
