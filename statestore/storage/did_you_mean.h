// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_DID_YOU_MEAN_H_
#define STATELIB_STATESTORE_STORAGE_DID_YOU_MEAN_H_

#include <string>
#include <string_view>
#include <vector>

namespace statelib::storage {

/// The end of a message about a word that names nothing: "; did you mean handbook or handout?" with
/// the nearest of `names` (NearestNames), "" where none is near. Names may come twice.
std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_DID_YOU_MEAN_H_
