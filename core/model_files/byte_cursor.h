// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_BYTE_CURSOR_H_
#define STATELIB_CORE_MODEL_FILES_BYTE_CURSOR_H_

#include <string>

#include "core/base/bytes.h"
#include "core/base/error.h"

namespace statelib::model_files {

/// Reads forward through bytes that nobody has checked yet; it never passes their end. One thread.
class ByteCursor {
 public:
  /// `place` begins every message: "model.gguf: header".
  ByteCursor(ByteSpan bytes, std::string place) : bytes_(bytes), place_(std::move(place)) {}

  /// The next `count` bytes. Errors: kCorrupt with `what` when fewer are left.
  ByteSpan Take(uint64_t count, const char* what) {
    if (count > bytes_.size() - at_) {
      Throw(ErrorKind::kCorrupt, "{}: {} at byte {}: expected {} bytes, found {} before the end",
            place_, what, at_, count, bytes_.size() - at_);
    }
    const ByteSpan taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  /// The next number, little-endian.
  template <typename T>
  T Read(const char* what) {
    return LoadLittle<T>(Take(sizeof(T), what).data());
  }

  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }
  const std::string& place() const { return place_; }

 private:
  ByteSpan bytes_;
  std::string place_;
  uint64_t at_ = 0;
};

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_BYTE_CURSOR_H_
