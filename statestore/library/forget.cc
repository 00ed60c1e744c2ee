// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/forget.h"

#include <algorithm>

#include "core/base/disk_full.h"
#include "core/base/error.h"
#include "statestore/storage/reserve.h"

namespace statelib::library {

namespace {

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;

/// Days since 1970, in UTC.
int64_t DayOf(int64_t unix_ms) { return unix_ms / kDayMs - (unix_ms % kDayMs < 0 ? 1 : 0); }

/// The states that another tag of a name stands for.
std::set<storage::StateId> TaggedStates(const Library& library,
                                        const storage::Reference& reference) {
  storage::ReferenceQuery query;
  query.name_pattern = reference.name;
  std::set<storage::StateId> tagged;
  for (const storage::ReferenceRow& row : library.repository().index().references().List(query))
    if (row.tag != reference.tag) tagged.insert(row.state.id);
  return tagged;
}

/// Does it, within Index::Write.
ForgottenVersions ForgetNow(Library& library, const storage::Reference& reference,
                            const ForgetPolicy& policy) {
  storage::IndexReferences& references = library.repository().index().references();
  const auto versions = references.Versions(reference.name, reference.tag);
  if (versions.empty()) library.repository().ThrowUnknown(reference);
  const std::vector<uint64_t> numbers =
      VersionsToForget(versions, TaggedStates(library, reference), policy);
  ForgottenVersions done;
  done.reference = reference;
  for (const storage::VersionRow& version : versions) {
    if (std::binary_search(numbers.begin(), numbers.end(), version.number))
      done.forgotten.push_back(version);
    else
      ++done.kept;
  }
  references.Forget(reference.name, reference.tag, numbers, library.now_ms());
  return done;
}

}  // namespace

std::vector<uint64_t> VersionsToForget(const std::vector<storage::VersionRow>& versions,
                                       const std::set<storage::StateId>& tagged,
                                       const ForgetPolicy& policy) {
  std::vector<storage::VersionRow> newest_first = versions;
  std::sort(newest_first.begin(), newest_first.end(),
            [](const auto& a, const auto& b) { return a.number > b.number; });
  std::vector<uint64_t> numbers;
  std::set<int64_t> days;
  for (size_t i = 0; i < newest_first.size(); ++i) {
    const storage::VersionRow& version = newest_first[i];
    bool stays = i == 0 || version.current || tagged.contains(version.state);
    stays |= i < policy.keep_last;
    if (days.size() < policy.keep_daily) stays |= days.insert(DayOf(version.created_at_ms)).second;
    if (!stays) numbers.push_back(version.number);
  }
  std::reverse(numbers.begin(), numbers.end());
  return numbers;
}

ForgottenVersions Forget(Library& library, const storage::Reference& reference,
                         const ForgetPolicy& policy, bool dry_run) {
  RefuseVersion(reference);
  if (policy.keep_last == 0 && policy.keep_daily == 0)
    Throw(ErrorKind::kInvalidArgument,
          "forget needs a rule for what stays: --keep-last N, --keep-daily N or both");
  storage::Repository& repository = library.repository();
  ForgottenVersions forecast;
  // Rehearsed apart, for a disk that is full has room for the change alone.
  try {
    repository.index().Rehearse([&] {
      const storage::GarbageForecast before =
          storage::ForecastGarbage(repository, library.now_ms());
      forecast = ForgetNow(library, reference, policy);
      TellFreed(before, storage::ForecastGarbage(repository, library.now_ms()), &forecast);
    });
  } catch (const DiskFull&) {
    if (dry_run) throw;
  }
  if (dry_run) return forecast;
  ForgottenVersions done;
  storage::WriteFreeingSpace(repository, [&] { done = ForgetNow(library, reference, policy); });
  static_cast<Freed&>(done) = std::move(forecast);
  return done;
}

}  // namespace statelib::library
