// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/formats/zip_parts.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>
#include <new>

#include "core/base/error.h"

namespace statelib::documents {

namespace {

constexpr size_t kEntriesMax = 20'000;
constexpr size_t kUnpackedBytesMax = size_t{256} << 20;

struct Free {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Free>;

[[noreturn]] void ThrowDamaged(archive* reader, const std::string& name) {
  const char* reason = ::archive_error_string(reader);
  std::string line = reason == nullptr ? "it ends too early" : reason;
  line = line.substr(0, line.find('\n'));
  Throw(ErrorKind::kCorrupt, "{}: a damaged ZIP archive: {}", name, line);
}

void Read(archive* reader, const std::string& name, size_t& unpacked, std::string& part) {
  std::array<char, 1 << 16> block{};
  while (true) {
    const la_ssize_t size = ::archive_read_data(reader, block.data(), block.size());
    if (size < 0) ThrowDamaged(reader, name);
    if (size == 0) return;
    unpacked += static_cast<size_t>(size);
    if (unpacked > kUnpackedBytesMax)
      Throw(ErrorKind::kInvalidArgument, "{}: unpacks to more than {} bytes, the most that is read",
            name, kUnpackedBytesMax);
    part.append(block.data(), static_cast<size_t>(size));
  }
}

}  // namespace

ZipParts ReadZip(std::string_view bytes, const std::string& name,
                 const std::function<bool(std::string_view)>& wanted) {
  const Reader reader(::archive_read_new());
  if (!reader) throw std::bad_alloc();
  if (::archive_read_support_format_zip_seekable(reader.get()) != ARCHIVE_OK ||
      ::archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    ThrowDamaged(reader.get(), name);
  ZipParts parts;
  size_t unpacked = 0;
  for (size_t entries = 0;; ++entries) {
    archive_entry* entry = nullptr;
    const int code = ::archive_read_next_header(reader.get(), &entry);
    if (code == ARCHIVE_EOF) return parts;
    if (code < ARCHIVE_WARN) ThrowDamaged(reader.get(), name);
    if (entries >= kEntriesMax)
      Throw(ErrorKind::kInvalidArgument, "{}: has more than {} entries, the most that is read",
            name, kEntriesMax);
    const char* path = ::archive_entry_pathname(entry);
    if (path == nullptr || ::archive_entry_filetype(entry) != AE_IFREG || !wanted(path)) continue;
    if (::archive_entry_is_data_encrypted(entry) != 0)
      Throw(ErrorKind::kUnsupported, "{}: is encrypted; save it without a password", name);
    const auto [place, is_new] = parts.emplace(path, "");
    if (is_new) Read(reader.get(), name, unpacked, place->second);
  }
}

}  // namespace statelib::documents
