// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_UP_TO_DATE_H_
#define STATELIB_STATESTORE_LIBRARY_UP_TO_DATE_H_

#include <optional>
#include <span>
#include <string>

#include "statestore/library/ingest.h"

namespace statelib::library {

/// A file that is to be read, before anything is made of it.
struct NamedSource {
  std::string name;  ///< as Document::name
  SourceFile file;
};

/// The state that a reference names now, with its version, if ingesting these files with these
/// options would make it once more: same model, profile and codec, same files in the same order,
/// same template; for a template with a heading the same names too. Then nothing has to be read or
/// taken out of the files. Whether tokens are kept does not count.
std::optional<storage::ResolvedState> FindUpToDate(const Library& library, const ModelKey& model,
                                                   const storage::Reference& reference,
                                                   std::span<const NamedSource> sources,
                                                   const IngestOptions& options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_UP_TO_DATE_H_
