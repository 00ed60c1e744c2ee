// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/change_log.h"

#include <charconv>
#include <optional>
#include <set>
#include <string>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"

namespace statelib::storage {

namespace {

using Path = std::filesystem::path;

constexpr size_t kHexDigits = 64;
constexpr size_t kNumberDigits = 19;  // of the largest
constexpr size_t kNameBytes = kHexDigits + 1 + kNumberDigits + 1 + kHexDigits;
constexpr const char* kTemporaryEnd = ".part";

std::string NameOf(const RecordFile& record) {
  return fmt::format("{}-{:019}-{}", record.key.Hex(), record.number, record.hash.Hex());
}

/// The record that a file's name speaks of.
std::optional<RecordFile> RecordOf(std::string_view name) {
  if (name.size() != kNameBytes) return std::nullopt;
  const auto key = Digest::FromHex(name.substr(0, kHexDigits));
  const std::string_view digits = name.substr(kHexDigits + 1, kNumberDigits);
  const auto hash = Digest::FromHex(name.substr(kHexDigits + kNumberDigits + 2));
  RecordFile record;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), record.number);
  if (!key || !hash || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  record.key = *key;
  record.hash = *hash;
  if (NameOf(record) != name) return std::nullopt;
  return record;
}

void TryToRemove(FileSystem& files, const Path& path) {
  try {
    if (files.Exists(path)) files.Remove(path);
  } catch (const Error&) {
    // The error that came before is the one to report; the next change of its key removes it.
  }
}

}  // namespace

Path ChangeLog::FolderOf(const Digest& key) const { return records_ / key.Hex().substr(0, 2); }

Path ChangeLog::PathOf(const RecordFile& name) const { return FolderOf(name.key) / NameOf(name); }

void ChangeLog::ForEachIn(
    const Path& folder,
    const std::function<void(const Path&, const RecordFile&, bool)>& visit) const {
  if (!std::filesystem::is_directory(folder)) return;
  for (const Path& name : files_->List(folder)) {
    std::string text = name.string();
    const bool temporary = text.ends_with(kTemporaryEnd);
    if (temporary) text.resize(text.size() - std::string_view(kTemporaryEnd).size());
    const auto record = RecordOf(text);
    if (record && FolderOf(record->key) == folder) visit(folder / name, *record, temporary);
  }
}

void ChangeLog::MakeFolder(const Path& folder) const {
  if (files_->Exists(folder)) return;
  const bool has_parent = files_->Exists(records_);
  files_->CreateDirectories(folder);
  files_->SyncDirectory(records_);
  if (!has_parent) files_->SyncDirectory(records_.parent_path());
}

void ChangeLog::CheckIsNotLater(const RecordFile& name, uint64_t last_transaction) const {
  ChangeRecord record;
  try {
    record = Read(name);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    return;  // what cannot be read is no proof
  }
  if (record.transaction.number <= last_transaction + 1) return;
  Throw(ErrorKind::kCorrupt,
        "{}: a record of the transaction {}, but index.db knows {} at most: it is an older copy; "
        "nothing was changed: `statelib repair` builds the index again",
        PathOf(name).string(), record.transaction.number, last_transaction);
}

void ChangeLog::RemoveFrom(const RecordFile& first, uint64_t last_transaction) const {
  std::vector<Path> stale;
  ForEachIn(FolderOf(first.key), [&](const Path& path, const RecordFile& record, bool temporary) {
    if (record.key != first.key || (record.number < first.number && !temporary)) return;
    if (!temporary) CheckIsNotLater(record, last_transaction);
    stale.push_back(path);
  });
  for (const Path& path : stale) files_->Remove(path);
}

void ChangeLog::WriteOne(const RecordFile& record) const {
  const Path path = PathOf(record);
  const Path temporary = path.string() + kTemporaryEnd;
  try {
    const auto file = files_->Create(temporary);
    file->Append(record.bytes);
    file->Sync();
    file->Close();
    files_->Rename(temporary, path);
  } catch (...) {
    TryToRemove(*files_, temporary);
    throw;
  }
}

void ChangeLog::Write(std::span<const RecordFile> records, uint64_t last_transaction) const {
  std::set<Path> folders;
  std::set<Digest> keys;
  try {
    for (const RecordFile& record : records) {
      if (folders.insert(FolderOf(record.key)).second) MakeFolder(FolderOf(record.key));
      if (keys.insert(record.key).second) RemoveFrom(record, last_transaction);
      WriteOne(record);
    }
    for (const Path& folder : folders) files_->SyncDirectory(folder);
  } catch (...) {
    for (const RecordFile& record : records) TryToRemove(*files_, PathOf(record));
    throw;
  }
}

ChangeRecord ChangeLog::Read(const RecordFile& name) const {
  RecordFile file = name;
  file.bytes = files_->ReadFile(PathOf(name), HeadBytes(kRecordFile.header_bytes_max));
  return DecodeRecord(file, PathOf(name).string());
}

void ChangeLog::Remove(const RecordFile& name) const {
  if (files_->Exists(PathOf(name))) files_->Remove(PathOf(name));
}

void ChangeLog::SyncFoldersOf(std::span<const RecordFile> names) const {
  std::set<Path> folders;
  for (const RecordFile& name : names) folders.insert(FolderOf(name.key));
  for (const Path& folder : folders)
    if (files_->Exists(folder)) files_->SyncDirectory(folder);
}

void ChangeLog::ForEach(const std::function<void(const RecordFile& name)>& visit) const {
  if (!std::filesystem::is_directory(records_)) return;
  for (const Path& folder : files_->List(records_)) {
    ForEachIn(records_ / folder, [&](const Path&, const RecordFile& record, bool temporary) {
      if (!temporary) visit(record);
    });
  }
}

void ChangeLog::ForEachTemporary(const std::function<void(const Path& file)>& visit) const {
  if (!std::filesystem::is_directory(records_)) return;
  for (const Path& folder : files_->List(records_)) {
    ForEachIn(records_ / folder, [&](const Path& path, const RecordFile&, bool temporary) {
      if (temporary) visit(path);
    });
  }
}

}  // namespace statelib::storage
