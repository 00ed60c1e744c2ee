// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/up_to_date.h"

#include <algorithm>

#include "core/base/printable.h"

namespace statelib::library {

namespace {

bool AreTheSources(const storage::Derivation& derivation, std::span<const NamedSource> sources,
                   const storage::SourceTemplate& wanted) {
  if (derivation.text_template.heading != wanted.heading) return false;
  if (sources.size() > 1 && derivation.text_template.separator != wanted.separator) return false;
  const auto same = [&](const storage::SourceRecord& was, const NamedSource& is) {
    return was.size_bytes == is.file.size_bytes && was.digest == is.file.digest &&
           (wanted.heading.empty() || was.name == Escaped(is.name));
  };
  return std::equal(derivation.sources.begin(), derivation.sources.end(), sources.begin(),
                    sources.end(), same);
}

}  // namespace

std::optional<storage::ResolvedState> FindUpToDate(const Library& library, const ModelKey& model,
                                                   const storage::Reference& reference,
                                                   std::span<const NamedSource> sources,
                                                   const IngestOptions& options) {
  const storage::Repository& repository = library.repository();
  if (!repository.index().references().Find(reference.name, reference.tag)) return {};
  storage::ResolvedState found = repository.Resolve({reference.name, reference.tag, {}});
  if (!found.derivation || found.state.model != model.fingerprint) return {};
  const std::string profile = storage::ProfileAfter(model.profile, options.codec.codec);
  if (found.state.profile != profile || !repository.objects().Exists(found.state.id)) return {};
  const storage::Derivation derivation = repository.index().lineage().Get(*found.derivation);
  if (derivation.operation != storage::Operation::kIngest || derivation.parent_state) return {};
  if (!AreTheSources(derivation, sources, options.text_template)) return {};
  return found;
}

}  // namespace statelib::library
