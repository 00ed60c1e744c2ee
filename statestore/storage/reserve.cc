// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/reserve.h"

#include "core/base/disk_full.h"

namespace statelib::storage {

namespace {

constexpr size_t kReserveBytes = 256u << 10;  // a WAL of some dozen pages, an index of it, a record

std::filesystem::path ReservePath(const LibraryPlaces& places) {
  return places.index.string() + "-reserve";
}

/// Frees what can be freed at once; returns whether that was anything.
bool GiveUpReserve(Repository& repository) {
  const std::filesystem::path reserve = ReservePath(repository.places());
  if (!repository.files().Exists(reserve)) return false;
  repository.files().Remove(reserve);
  return true;
}

}  // namespace

void KeepReserve(FileSystem& files, const LibraryPlaces& places) {
  const std::filesystem::path reserve = ReservePath(places);
  if (files.Exists(reserve)) return;
  bool made = false;
  try {
    const auto file = files.Create(reserve);
    made = true;
    file->Append(Bytes(kReserveBytes));
    file->Close();
    return;
  } catch (const Error&) {
  }
  try {
    if (made) files.Remove(reserve);
  } catch (const Error&) {
    // What is left of it is a smaller one.
  }
}

void WriteFreeingSpace(Repository& repository, const std::function<void()>& body) {
  try {
    return repository.index().Write(body);
  } catch (const DiskFull&) {
    repository.index().Settle();
    if (!GiveUpReserve(repository)) throw;
  }
  repository.index().Write(body);
}

}  // namespace statelib::storage
