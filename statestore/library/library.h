// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_LIBRARY_H_
#define STATELIB_STATESTORE_LIBRARY_LIBRARY_H_

#include <filesystem>
#include <functional>
#include <string>

#include "core/base/file_system.h"
#include "statestore/storage/repository.h"

namespace statelib::library {

/// A library of states as the front ends use it: the folder and the time. The use cases are
/// functions over it, a header each (ingest.h, load.h, save.h, inspect.h, diff.h, organise.h,
/// exchange.h, models.h); what concerns files alone is in statestore/storage (maintenance.h).
/// Several processes may use one folder at once; a Library belongs to one thread. Move-only.
class Library {
 public:
  using Access = storage::Repository::Access;
  using Clock = std::function<int64_t()>;  ///< Unix milliseconds

  /// Errors: those of Repository::Open.
  static Library Open(const std::filesystem::path& path, Access access,
                      FileSystem& files = FileSystem::Real(), Clock clock = SystemClock(),
                      const Waits& waits = {});
  /// Makes a library where there is none, and opens it. Errors: those of Repository::Init.
  static Library Init(const std::filesystem::path& path, storage::Sharing sharing);
  static Clock SystemClock();

  const std::filesystem::path& path() const { return repository_.path(); }
  storage::Repository& repository() { return repository_; }
  const storage::Repository& repository() const { return repository_; }
  /// For what lies outside the library's folder; for what is in it, see Repository::files().
  FileSystem& files() const { return *files_; }
  int64_t now_ms() const { return clock_(); }

  /// The state that NAME[:TAG][@N], NAME[:TAG]@{MOMENT} or an id's first digits name. Errors: those
  /// of Repository::Resolve.
  storage::ResolvedState Resolve(const std::string& text) const {
    return repository_.Resolve(text, now_ms());
  }

 private:
  Library(storage::Repository repository, FileSystem& files, Clock clock)
      : repository_(std::move(repository)), files_(&files), clock_(std::move(clock)) {}

  storage::Repository repository_;
  FileSystem* files_;
  Clock clock_;
};

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_LIBRARY_H_
