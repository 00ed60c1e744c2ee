// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_ZIP_PARTS_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_ZIP_PARTS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace statelib::documents {

/// The parts of a ZIP archive in memory, by their names in it. A name is a key and never a path.
using ZipParts = std::map<std::string, std::string, std::less<>>;

/// Unpacks the parts whose names `wanted` takes; of two with one name, the first. At most 20,000
/// entries and 256 MiB unpacked, counted as they are unpacked and not as the archive says. Errors:
/// kCorrupt for a damaged archive, kUnsupported for an encrypted part, kInvalidArgument beyond the
/// limits.
ZipParts ReadZip(std::string_view bytes, const std::string& name,
                 const std::function<bool(std::string_view)>& wanted);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_ZIP_PARTS_H_
