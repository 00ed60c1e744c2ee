// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/history.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/printable.h"
#include "statestore/library/load.h"
#include "statestore/library/organise.h"
#include "statestore/library/prefix.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kContextTokens = 24;  ///< shown on each side of a place

/// Moves a name to another version, within Index::Write.
MovedReference ReturnTo(Library& library, const storage::Reference& reference, uint64_t version,
                        bool undoes) {
  storage::Repository& repository = library.repository();
  storage::IndexReferences& references = repository.index().references();
  MovedReference moved;
  moved.before = *repository.Resolve({reference.name, reference.tag, {}}).reference;
  if (moved.before.version != version || undoes)
    references.Return(reference.name, reference.tag, version, undoes, library.now_ms());
  const storage::ResolvedState now = repository.Resolve({reference.name, reference.tag, {}});
  moved.now = *now.reference;
  moved.state = now.state;
  return moved;
}

std::optional<Digest> DigestOf(const fs::path& file, uint64_t size_bytes) {
  try {
    return size_bytes == 0 ? HashOf(ByteSpan()) : HashOf(MappedFile::Open(file).bytes());
  } catch (const Error&) {
    return std::nullopt;  // it has gone meanwhile, or may not be read
  }
}

SourceStatus Compare(const storage::SourceRecord& source) {
  SourceStatus status{source, SourceChange::kUnknown, 0};
  std::error_code error;
  const bool recorded = !source.path.empty();
  const fs::path path = recorded ? source.path : source.name;
  if (!fs::is_regular_file(path, error)) {
    if (recorded) status.change = SourceChange::kMissing;
    return status;
  }
  status.change = SourceChange::kChanged;
  status.size_now = fs::file_size(path, error);
  if (status.size_now != source.size_bytes) return status;
  if (DigestOf(path, status.size_now) == source.digest) status.change = SourceChange::kNone;
  return status;
}

/// Files below the folders of a state's documents, for those that are not where they were. Looks
/// when it is first asked. Folders that cannot be read are passed over.
class FilesAround {
 public:
  explicit FilesAround(const std::vector<SourceStatus>& all) {
    for (const SourceStatus& status : all) {
      if (status.source.path.empty()) continue;
      known_.insert(status.source.path);
      folders_.insert((fs::path(status.source.path).parent_path() / "").string());
    }
  }

  /// A file with the bytes of a document; empty when there is none.
  std::string Find(const storage::SourceRecord& source) {
    if (!std::exchange(listed_, true)) List();
    const auto [first, last] = by_size_.equal_range(source.size_bytes);
    for (auto place = first; place != last; ++place) {
      if (DigestOf(place->second, source.size_bytes) == source.digest) return place->second;
    }
    return "";
  }

 private:
  void List() {
    const std::string* above = nullptr;  // those below a folder follow it
    for (const std::string& folder : folders_) {
      if (above != nullptr && folder.starts_with(*above)) continue;
      above = &folder;
      std::error_code error;
      fs::recursive_directory_iterator place(folder, fs::directory_options::skip_permission_denied,
                                             error);
      for (; !error && place != fs::recursive_directory_iterator(); place.increment(error)) {
        if (++looked_at_ > kFilesMax) return;
        std::error_code ignored;
        if (!place->is_regular_file(ignored) || place->is_symlink(ignored)) continue;
        const std::string path = place->path().string();
        const uintmax_t size = place->file_size(ignored);
        if (!ignored && !known_.contains(path)) by_size_.emplace(size, path);
      }
    }
  }

  static constexpr size_t kFilesMax = 100'000;

  std::set<std::string> known_;    // where the state's documents were
  std::set<std::string> folders_;  // each with a slash at its end
  std::multimap<uint64_t, std::string> by_size_;
  size_t looked_at_ = 0;
  bool listed_ = false;
};

}  // namespace

MovedReference Checkout(Library& library, const std::string& text) {
  if (text.find('@') == std::string::npos) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: say which version, as {}@2 or '{}@{{yesterday}}'; `statelib log` shows them",
          Escaped(text), Escaped(text), Escaped(text));
  }
  MovedReference moved;
  library.repository().index().Write([&] {
    const storage::ResolvedState state = library.Resolve(text);
    moved = ReturnTo(library, *state.reference, *state.reference->version, false);
  });
  return moved;
}

MovedReference Undo(Library& library, const storage::Reference& reference) {
  if (reference.version) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: the last change of the name is undone; leave out '@{}', or use checkout",
          reference.Text(), *reference.version);
  }
  MovedReference moved;
  library.repository().index().Write([&] {
    const storage::ResolvedState now = library.repository().Resolve(reference);
    const auto before =
        library.repository().index().references().VersionBefore(reference.name, reference.tag);
    if (!before) {
      Throw(ErrorKind::kInvalidArgument, "{}: there is nothing to undo: this is how it began",
            now.reference->Text());
    }
    moved = ReturnTo(library, reference, *before, true);
  });
  return moved;
}

SavedState Branch(Library& library, const std::string& from, const storage::Reference& to) {
  SavedState saved;
  const storage::Lease lease = library.repository().WriteLease();
  library.repository().index().Write([&] {
    if (library.repository().index().references().Find(to.name, to.tag)) {
      Throw(ErrorKind::kInvalidArgument,
            "{} exists already; choose another name, or move it there with `statelib cp`",
            to.Text());
    }
    saved = Copy(library, from, to);
  });
  return saved;
}

StateAtResult StateAt(Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state, uint64_t token_count,
                      const StateAtOptions& options) {
  CheckFits(library, model, state);
  if (token_count == 0 || token_count > state.state.history.token_count()) {
    Throw(ErrorKind::kInvalidArgument, "--token: expected 1 to {}, found {}",
          state.state.history.token_count(), token_count);
  }
  const RunOf<TokenId> all = TokensOrThrow(library, state);
  const RunOf<TokenId> tokens = all.First(token_count);
  auto loaded = LoadLongestPrefix(library, model, {}, tokens);
  StateAtResult result;
  SaveRequest request;
  if (loaded) request.prefix = loaded->origin.state;
  engine::State place = loaded ? std::move(loaded->state) : model.runtime->Empty();
  result.tokens_restored = place.token_count();
  result.tokens_read = token_count - result.tokens_restored;
  engine::AdvanceControl control;
  control.cancel = options.cancel;
  if (options.on_progress)
    control.on_progress = [&](uint64_t done) { options.on_progress(done, result.tokens_read); };
  model.runtime->Advance(place, tokens.Part(result.tokens_restored).Values(), control);

  result.token_count = token_count;
  result.history = place.history();
  const std::vector<Bytes> segments = model.runtime->Snapshot(place);
  result.content = storage::ContentDigest(model.runtime->SpecFor(token_count),
                                          std::vector<ByteSpan>(segments.begin(), segments.end()));
  result.before = tokens.Last(kContextTokens).Values();
  result.after = all.Part(token_count, kContextTokens).Values();
  if (options.save_as) {
    request.reference = *options.save_as;
    request.operation = storage::Operation::kAt;
    request.made_from = state;
    request.tokens = tokens;
    result.saved = SaveState(library, model, place, request);
  }
  return result;
}

const char* NameOf(SourceChange change) {
  switch (change) {
    case SourceChange::kNone:
      return "unchanged";
    case SourceChange::kMoved:
      return "moved";
    case SourceChange::kChanged:
      return "changed";
    case SourceChange::kMissing:
      return "missing";
    case SourceChange::kUnknown:
      return "unknown";
  }
  return "?";
}

bool IsOutOfDate(SourceChange change) {
  return change == SourceChange::kChanged || change == SourceChange::kMissing;
}

std::vector<SourceStatus> StatusOf(const Library& library, const storage::ResolvedState& state) {
  if (!state.derivation) {
    Throw(ErrorKind::kInvalidArgument,
          "{} is a state's id, and sources are recorded with names; give a name",
          state.state.id.ShortHex());
  }
  std::vector<storage::Derivation> lineage = library.repository().index().lineage().AncestorsOf(
      *state.derivation, std::numeric_limits<size_t>::max());
  std::reverse(lineage.begin(), lineage.end());
  std::vector<SourceStatus> all;
  for (const storage::Derivation& derivation : lineage) {
    // The source of an import is the bundle, which was not read into the state.
    if (derivation.operation == storage::Operation::kImport) continue;
    for (const storage::SourceRecord& source : derivation.sources) all.push_back(Compare(source));
  }
  FilesAround around(all);
  for (SourceStatus& status : all) {
    if (status.change != SourceChange::kMissing) continue;
    status.path_now = around.Find(status.source);
    if (status.path_now.empty()) continue;
    status.change = SourceChange::kMoved;
    status.size_now = status.source.size_bytes;
  }
  return all;
}

}  // namespace statelib::library
