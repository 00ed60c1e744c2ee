// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/packed_weights.h"

#include <string>

#include "core/base/error.h"
#include "kernels/backends.h"

namespace statelib::library {

namespace {

namespace fs = std::filesystem;

constexpr size_t kHexDigits = 2 * sizeof(Digest::bytes);

/// Whether a file's name is one that this program would give to a model of this library.
bool IsWanted(const Library& library, const std::string& name, const std::string& layout) {
  const auto fingerprint = Digest::FromHex(std::string_view(name).substr(0, kHexDigits));
  if (!fingerprint || !name.ends_with("-" + layout + ".weights")) return false;
  const auto row = library.repository().index().models().Find(*fingerprint);
  return row && !row->path.empty() && fs::exists(row->path);
}

}  // namespace

fs::path PackedWeightsFolder(const Library& library) {
  return library.path() / "cache" / "weights";
}

StalePackedWeights RemoveStaleWeights(Library& library, bool dry_run) {
  const fs::path folder = PackedWeightsFolder(library);
  const std::string layout = kernels::MakeCpuBackend(1)->packed_layout();
  FileSystem& files = library.repository().files();
  StalePackedWeights stale;
  for (const fs::path& name : files.List(folder)) {
    if (IsWanted(library, name.string(), layout)) continue;
    try {
      const uint64_t bytes = files.FileSize(folder / name);
      if (!dry_run) files.Remove(folder / name);
      ++stale.files;
      stale.bytes += bytes;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;  // another process was faster
    }
  }
  return stale;
}

}  // namespace statelib::library
