// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_DOCUMENTS_ZIP_BUILDER_H_
#define STATELIB_TESTS_STATESTORE_DOCUMENTS_ZIP_BUILDER_H_

#include <archive.h>
#include <archive_entry.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace statelib::documents {

using ZipEntries = std::vector<std::pair<std::string, std::string>>;

/// A compressed ZIP archive with these parts in this order.
inline std::string ZipOf(const ZipEntries& entries) {
  size_t room = 1 << 16;
  for (const auto& [name, content] : entries) room += content.size() + 1024;
  std::string bytes(room, '\0');
  size_t used = 0;
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_zip(writer);
  ::archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const auto& [name, content] : entries) {
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, name.c_str());
    ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    ::archive_entry_set_filetype(entry, AE_IFREG);
    ::archive_entry_set_perm(entry, 0644);
    if (::archive_write_header(writer, entry) != ARCHIVE_OK)
      throw std::runtime_error(::archive_error_string(writer));
    ::archive_write_data(writer, content.data(), content.size());
    ::archive_entry_free(entry);
  }
  ::archive_write_close(writer);
  ::archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

inline std::string DocxOf(const std::string& body) {
  return ZipOf(
      {{"[Content_Types].xml", "<Types/>"},
       {"word/document.xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document "
        "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>" +
            body + "</w:body></w:document>"}});
}

}  // namespace statelib::documents

#endif  // STATELIB_TESTS_STATESTORE_DOCUMENTS_ZIP_BUILDER_H_
