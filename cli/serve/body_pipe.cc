// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/body_pipe.h"

#include <utility>

namespace statelib::cli {

void BodyPipe::Push(ByteSpan piece) {
  const std::lock_guard lock(mutex_);
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  changed_.notify_one();
}

bool BodyPipe::WantsMore() {
  const std::lock_guard lock(mutex_);
  if (bytes_.size() >= bytes_max_) paused_ = true;
  return !paused_;
}

void BodyPipe::End(bool complete) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  ended_ = true;
  complete_ = complete;
  changed_.notify_one();
}

bool BodyPipe::Read(const std::function<void(ByteSpan piece)>& take) {
  while (true) {
    Bytes piece;
    bool want = false;
    {
      std::unique_lock lock(mutex_);
      want = !ended_ && std::exchange(paused_, false);
      if (!want) changed_.wait(lock, [&] { return ended_ || paused_ || !bytes_.empty(); });
      piece.swap(bytes_);
      if (!want && piece.empty() && ended_) return complete_;
    }
    if (want) wanted_();
    if (!piece.empty()) take(piece);
  }
}

}  // namespace statelib::cli
