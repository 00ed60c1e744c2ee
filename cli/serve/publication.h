// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_PUBLICATION_H_
#define STATELIB_CLI_SERVE_PUBLICATION_H_

#include <optional>
#include <vector>

#include "statestore/storage/manifest.h"
#include "statestore/storage/records.h"

namespace statelib::cli {

/// One version that a client publishes: an entry of the body of POST /v1/publish.
struct IncomingVersion {
  std::optional<storage::StateId> expected;  ///< the name's newest state; empty: no name yet
  storage::SignedManifest manifest;          ///< of this version alone
  storage::SourceRecord origin;

  const storage::BundleManifest::Reference& reference() const {
    return manifest.manifest.references.front();
  }
};

/// The body of a publication (README.md beside this file), each manifest checked against its own
/// signature, whoever's that is. Errors: kCorrupt, kUnsupported; kInvalidArgument for a body
/// without an entry and for a manifest of other than one version.
std::vector<IncomingVersion> ParsePublication(ByteSpan body, int64_t now_ms);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_PUBLICATION_H_
