// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_INPUT_H_
#define STATELIB_CLI_INPUT_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/cancel.h"

namespace statelib::cli {

/// A file or standard input ("-"), read whole or line by line. Move-only. One thread.
class Input {
 public:
  /// Errors: kNotFound, kIo; kInvalidArgument for a folder. The flag outlives the object.
  static Input Open(const std::string& path, const CancelFlag& cancel);

  Input(Input&& other) noexcept;
  Input& operator=(Input&& other) noexcept;
  ~Input();

  /// The path, or "standard input": for messages and for the record of sources.
  const std::string& name() const { return name_; }

  /// Everything to the end, in pieces. Errors: kInvalidArgument beyond bytes_max; kIo; kCancelled.
  void ForEachPiece(size_t bytes_max, const std::function<void(std::string_view)>& visit);
  /// The same as one text.
  std::string ReadAll(size_t bytes_max);
  /// The next line without its line feed; empty at the end. Errors as ReadAll(), bytes_max for the
  /// line.
  std::optional<std::string> ReadLine(size_t bytes_max);

 private:
  Input(int descriptor, std::string name, const CancelFlag& cancel)
      : descriptor_(descriptor), name_(std::move(name)), cancel_(&cancel) {}
  /// Reads a block into buffer_; false at the end.
  bool Fill();

  int descriptor_;
  std::string name_;
  const CancelFlag* cancel_;
  std::string buffer_;
  size_t begin_ = 0;  // of what was not handed out yet
};

/// Checks that a document is text. Bytes that are not UTF-8 are tolerated in small numbers, as the
/// tokenizer reads them as U+FFFD; the return value counts them. Errors: kInvalidArgument, with how
/// to convert it, for NUL bytes or when more than a tenth of the bytes are not UTF-8.
size_t CheckIsText(const std::string& text, const std::string& name);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_INPUT_H_
