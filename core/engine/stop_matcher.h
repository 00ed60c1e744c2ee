// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_STOP_MATCHER_H_
#define STATELIB_CORE_ENGINE_STOP_MATCHER_H_

#include <string>
#include <string_view>
#include <vector>

namespace statelib::engine {

/// Finds the first of several texts in text that comes in pieces, and holds back what may become
/// one. One thread.
class StopMatcher {
 public:
  /// Errors: kInvalidArgument for an empty text.
  explicit StopMatcher(std::vector<std::string> stops);

  /// Adds a piece and returns what is certain to stand before every stop text.
  std::string Push(std::string_view piece);
  /// Whether a stop text was found; what follows it is dropped.
  bool found() const { return found_; }
  /// Whether some text is held back because a stop text may have begun.
  bool holding() const { return !held_.empty(); }
  /// At the end of the text: what was held back after all.
  std::string Flush();

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool found_ = false;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STOP_MATCHER_H_
