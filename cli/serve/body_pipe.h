// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_BODY_PIPE_H_
#define STATELIB_CLI_SERVE_BODY_PIPE_H_

#include <condition_variable>
#include <functional>
#include <mutex>

#include "core/base/bytes.h"

namespace statelib::cli {

/// A request's body on its way from the thread that receives it to the one that handles it. Holds
/// about `bytes_max`; more is received when the handler has taken that. Thread-safe.
class BodyPipe {
 public:
  /// `wanted` is called, by the handler's thread, whenever more may be received.
  BodyPipe(size_t bytes_max, std::function<void()> wanted)
      : bytes_max_(bytes_max), wanted_(std::move(wanted)) {}

  // The receiving side, which never waits.

  void Push(ByteSpan piece);
  /// Whether more is wanted now. Once it was not, `wanted` will be called.
  bool WantsMore();
  /// Nothing more comes: the body is complete, or was cut off.
  void End(bool complete);

  // The handler's side.

  /// Hands the body on as it comes; false when it was cut off. Throws what `take` throws.
  bool Read(const std::function<void(ByteSpan piece)>& take);

 private:
  const size_t bytes_max_;
  const std::function<void()> wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Bytes bytes_;
  bool paused_ = true;
  bool ended_ = false;
  bool complete_ = false;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_BODY_PIPE_H_
