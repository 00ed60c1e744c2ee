// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_REPAIR_H_
#define STATELIB_STATESTORE_LIBRARY_REPAIR_H_

#include <functional>
#include <string>
#include <vector>

#include "statestore/library/library.h"
#include "statestore/library/models.h"

namespace statelib::library {

struct TextsOptions {
  /// What was read before a source's text: the separator unless it was the first, and the heading.
  /// Empty: what was read counts as text.
  std::function<std::string(const storage::SourceTemplate& how, const std::string& source,
                            bool is_first)>
      before{};
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t done, uint64_t total)> on_progress{};
};

/// What became of the text that search finds.
struct RestoredTexts {
  uint64_t restored = 0;             ///< sources whose text was cut again from the kept tokens
  uint64_t missing = 0;              ///< those whose text could not be
  std::vector<std::string> reasons;  ///< why not, a line each
};

/// Cuts the text of sources again that the index has lost, from the tokens that states keep, where
/// their models are there. Where nothing was lost, nothing happens. Each text is a transaction of
/// its own, so that what was cut off goes on when it is run again. Errors: kCancelled, kIo.
RestoredTexts RestoreTexts(Library& library, const TextsOptions& options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_REPAIR_H_
