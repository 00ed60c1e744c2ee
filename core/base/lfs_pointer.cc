// SPDX-License-Identifier: Apache-2.0
// Source: the git-lfs specification: a pointer has less than 1024 bytes and begins with its
// version.
#include "core/base/lfs_pointer.h"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace statelib {

namespace {

constexpr size_t kPointerBytesMax = 1024;
constexpr std::string_view kBegin = "version https://git-lfs.github.com/spec/";
constexpr std::string_view kSizeKey = "\nsize ";

/// "of 123 bytes", or nothing where the pointer does not say.
std::string SizeText(std::string_view text) {
  const size_t at = text.find(kSizeKey);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + kSizeKey.size());
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  return error == std::errc() ? fmt::format(" of {} bytes", size) : "";
}

}  // namespace

bool IsLfsPointer(ByteSpan file) {
  return file.size() < kPointerBytesMax && AsText(file).starts_with(kBegin);
}

void RefuseLfsPointer(ByteSpan file, const std::string& path) {
  if (!IsLfsPointer(file)) return;
  Throw(ErrorKind::kNotFound,
        "{}: expected the file itself, found a git-lfs pointer to one{} that was not fetched; run "
        "`git lfs pull` where it was cloned, or download the file",
        path, SizeText(AsText(file)));
}

}  // namespace statelib
