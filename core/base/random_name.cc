// SPDX-License-Identifier: Apache-2.0
#include "core/base/random_name.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace statelib {

void FillRandom(std::span<std::byte> bytes) {
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    ThrowErrno("cannot get random bytes from", "the system", errno);
}

std::string RandomName() {
  std::array<std::byte, 8> bytes{};
  FillRandom(bytes);
  return fmt::format("{:016x}", LoadLittle<uint64_t>(bytes.data()));
}

std::filesystem::path TemporaryBeside(const std::filesystem::path& path) {
  return fmt::format("{}.{}.part", path.string(), RandomName());
}

}  // namespace statelib
