// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_ERROR_H_
#define STATELIB_CORE_BASE_ERROR_H_

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace statelib {

/// What went wrong, in the terms a caller can act on. The command line maps each kind to an exit
/// code.
enum class ErrorKind {
  kNotFound,         ///< a named thing does not exist
  kInvalidArgument,  ///< the caller asked for something that makes no sense
  kCorrupt,          ///< stored bytes are not what was written
  kMismatch,         ///< two sound things do not belong together: a state and another model
  kBusy,             ///< somebody else holds it; trying again may help
  kIo,               ///< the operating system refused: disk full, permission, device error
  kUnsupported,      ///< well-formed, but of a version or feature that this build does not have
  kCancelled,        ///< the user stopped it
};

/// The kind's stable name, as in JSON output: "not_found", "invalid_argument", …
const char* NameOf(ErrorKind kind);

/// The only exception that statelib throws for outside causes. The message is one line that names
/// the thing, what was expected, what was found and what to do next. Whatever is in those names, it
/// stays one line that can be shown (printable.h).
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message);

  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Throws an Error whose message is formatted by fmt.
template <typename... Args>
[[noreturn]] void Throw(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws kIo with "DOING PATH: strerror(errno_value)", and what to do next where the errno tells.
[[noreturn]] void ThrowErrno(const std::string& doing, const std::string& path, int errno_value);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_ERROR_H_
