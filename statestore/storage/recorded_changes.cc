// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/recorded_changes.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

using Entry = RecordedChanges::Entry;

struct Transaction {
  std::vector<Entry> entries;
  int64_t made_at_ms = INT64_MIN;

  bool IsWhole() const { return entries.size() == entries.front().record.count; }
};

/// number -> id -> the transaction
using Transactions = std::map<uint64_t, std::map<Digest, Transaction>>;

std::vector<Entry> ReadAll(const ChangeLog& log, RecordedChanges* changes) {
  std::vector<Entry> entries;
  log.ForEach([&](const RecordFile& name) {
    try {
      entries.push_back({name, log.Read(name)});
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kIo) throw;
      changes->lost.push_back(error.what());
    }
  });
  return entries;
}

/// The library that the records are of.
std::optional<LibraryIdentity> LibraryOf(const std::vector<Entry>& entries,
                                         const std::optional<LibraryIdentity>& wanted) {
  std::map<LibraryIdentity, uint64_t> counts;
  for (const Entry& entry : entries) ++counts[entry.record.library];
  if (counts.empty()) return std::nullopt;
  if (wanted && counts.contains(*wanted)) return wanted;
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

/// Which of the transactions of one number came; `next` are those of the number after it, of which
/// the one that came names it. Null: none.
const Transaction* ChooseOne(const std::map<Digest, Transaction>& all, const Transaction* next,
                             bool is_last) {
  if (next != nullptr) {
    const auto& before = next->entries.front().record.transaction.before;
    const auto named = before ? all.find(*before) : all.end();
    return named == all.end() ? nullptr : &named->second;
  }
  const Transaction* latest = nullptr;
  for (const auto& [id, transaction] : all) {
    if (is_last && !transaction.IsWhole()) continue;
    if (latest == nullptr || transaction.made_at_ms > latest->made_at_ms) latest = &transaction;
  }
  return latest;
}

/// Goes from the last transaction back to the first.
std::vector<const Transaction*> ChooseAll(const Transactions& transactions) {
  std::vector<const Transaction*> chosen;
  const Transaction* next = nullptr;  // of the number after, whether it came or not
  uint64_t next_number = 0;
  for (auto each = transactions.rbegin(); each != transactions.rend(); ++each) {
    const bool adjoins = next != nullptr && each->first + 1 == next_number;
    const bool is_last = next == nullptr;
    const Transaction* one = ChooseOne(each->second, adjoins ? next : nullptr, is_last);
    if (one != nullptr) chosen.push_back(one);
    // One that did not come names the last that did, too.
    if (one != nullptr || is_last) {
      next = one != nullptr ? one : &each->second.begin()->second;
      next_number = each->first;
    }
  }
  std::reverse(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

RecordedChanges ReadRecords(const ChangeLog& log, const std::optional<LibraryIdentity>& library) {
  RecordedChanges changes;
  std::vector<Entry> entries = ReadAll(log, &changes);
  changes.library = LibraryOf(entries, library);
  Transactions transactions;
  uint64_t read = 0;
  for (Entry& entry : entries) {
    if (entry.record.library != changes.library) {
      changes.lost.push_back(log.PathOf(entry.file).string() + ": a record of another library");
      continue;
    }
    ++read;
    const TransactionMark& mark = entry.record.transaction;
    Transaction& transaction = transactions[mark.number][mark.id];
    transaction.made_at_ms = std::max(transaction.made_at_ms, entry.record.change.made_at_ms);
    transaction.entries.push_back(std::move(entry));
  }
  for (const Transaction* one : ChooseAll(transactions)) {
    std::vector<Entry> ordered = one->entries;
    std::sort(ordered.begin(), ordered.end(),
              [](const Entry& a, const Entry& b) { return a.record.place < b.record.place; });
    for (Entry& entry : ordered) changes.entries.push_back(std::move(entry));
  }
  changes.unfinished = read - changes.entries.size();
  for (const Entry& entry : changes.entries) {
    const Change& change = entry.record.change;
    if (change.kind == ChangeKind::kRemoved) changes.removed_lines.insert(change.line);
    for (const uint64_t number : change.forgotten) changes.forgotten.emplace(change.line, number);
  }
  return changes;
}

}  // namespace statelib::storage
