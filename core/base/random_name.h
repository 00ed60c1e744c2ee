// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_RANDOM_NAME_H_
#define STATELIB_CORE_BASE_RANDOM_NAME_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

// Names for what is renamed once it is whole. The number of a process would not do: another machine
// that writes to the same folder has it too, and so had one that was killed and left a part behind.
namespace statelib {

/// Random bytes of the system, at most 256. Errors: kIo.
void FillRandom(std::span<std::byte> bytes);

/// 16 hexadecimal digits that nobody else gets. Errors: kIo.
std::string RandomName();

/// `path` with an end that nobody else gives it: "states.statelib.0123456789abcdef.part". Errors:
/// kIo.
std::filesystem::path TemporaryBeside(const std::filesystem::path& path);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_RANDOM_NAME_H_
