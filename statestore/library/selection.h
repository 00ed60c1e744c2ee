// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_SELECTION_H_
#define STATELIB_STATESTORE_LIBRARY_SELECTION_H_

#include <string>
#include <string_view>
#include <vector>

#include "statestore/library/library.h"

// Names that stand for several: NAME[:TAG] with * ? [a-z] in either part.
namespace statelib::library {

bool IsPattern(std::string_view text);

/// What `list` looks for: NAME[:TAG], patterns or not; without a tag every tag, empty everything.
storage::ReferenceQuery QueryOf(const std::string& text);

/// The tags that a pattern without one means.
enum class Tags { kEvery, kLatest };

/// The references that texts mean, each once, in their order: NAME[:TAG] is itself, whether it is
/// there or not, and a pattern is what `list` shows for it. Errors: kNotFound for a pattern that
/// nothing fits; those of Reference::Parse.
std::vector<storage::Reference> Select(const Library& library,
                                       const std::vector<std::string>& texts, Tags tags);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_SELECTION_H_
