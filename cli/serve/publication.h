// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_PUBLICATION_H_
#define STATELIB_CLI_SERVE_PUBLICATION_H_

#include <optional>
#include <vector>

#include "statestore/remote/remote.h"
#include "statestore/storage/manifest.h"
#include "statestore/storage/records.h"

namespace statelib::cli {

/// One version that a client publishes: an entry of the body of POST /v1/publish.
struct IncomingVersion {
  std::optional<std::vector<storage::StateId>> had;  ///< as of remote::Publication
  storage::SignedManifest manifest;                  ///< of this version alone
  storage::SourceRecord origin;

  const storage::BundleManifest::Reference& reference() const {
    return manifest.manifest.references.front();
  }
  /// Without the manifest's bytes.
  remote::Publication publication() const {
    const auto& from = reference();
    const auto& derivation = manifest.manifest.derivations[from.derivation];
    return {from.name, from.tag, from.state, derivation.token_count, {}, from.version, had};
  }
};

/// The body of a publication (README.md beside this file), each manifest checked against its own
/// signature, of any signer. Errors: kCorrupt, kUnsupported; kInvalidArgument for a body
/// without an entry and for a manifest of other than one version.
std::vector<IncomingVersion> ParsePublication(ByteSpan body, int64_t now_ms);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_PUBLICATION_H_
