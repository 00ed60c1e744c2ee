// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_TEXTS_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_TEXTS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/spool.h"
#include "statestore/storage/records.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// A piece of a text that is searched and shown as one.
struct Passage {
  uint64_t first_byte = 0;
  std::string_view text;
};

/// Cuts a text into passages, in order and without a gap, each at most about a page long: after an
/// empty line, else after a line, a sentence or a word. A view lasts for its call.
void ForEachPassage(const RunOf<char>& text, const std::function<void(const Passage&)>& visit);

/// The text of a source, for searching.
struct SourceText {
  size_t position = 0;  ///< of the source in its derivation
  RunOf<char> text;
  std::vector<uint32_t> first_tokens;  ///< a passage: its first token, counted from the source's
};

/// A place where a search found something.
struct TextHit {
  int64_t text = 0;  ///< key
  uint64_t position = 0;
  uint64_t first_byte = 0;  ///< of the passage in the text
  /// The passage, each match between kMatchBegin and kMatchEnd.
  std::string marked;
  double rank = 0;  ///< bm25, the best the smallest
};
inline constexpr char kMatchBegin = '\x01';
inline constexpr char kMatchEnd = '\x02';

/// A version of a name that has read a passage.
struct TextHolder {
  std::string name;
  std::string tag;
  uint64_t version = 0;
  StateId state;
  std::string source;        ///< the document's name
  uint64_t first_token = 0;  ///< of the passage, in the state's history
};

struct HolderQuery {
  std::string name_pattern;        ///< with * ? [a-z]; empty: every name
  std::optional<std::string> tag;  ///< with wildcards too
  bool all_versions = false;       ///< those too that their names have left
  uint64_t limit = UINT64_MAX;
};

/// A source whose text an index should have for searching and has not.
struct MissingText {
  int64_t derivation = 0;
  uint64_t position = 0;     ///< of the source in it
  std::string source;        ///< its name
  uint64_t first_token = 0;  ///< of what was read of it, in the history
  uint64_t token_count = 0;
  StateId state;  ///< one that has read it and keeps its tokens
  SourceTemplate text_template;
};

/// The texts of sources and their full-text index (SQLite FTS5). A text that several sources have
/// is stored once. One thread. Errors: those of Database.
class IndexTexts {
 public:
  explicit IndexTexts(Database& database) : database_(database) {}

  /// Adds the text of a derivation's source, which has been added.
  void Add(int64_t derivation, const SourceText& source);
  /// Calls back for the passages that a query in the syntax of FTS5 finds, the best first, until
  /// `visit` returns false. With `read_by` only those that this derivation read, or one that it
  /// goes on from.
  void Find(const std::string& query, const std::function<bool(const TextHit&)>& visit,
            std::optional<int64_t> read_by = {}) const;
  /// The versions that have read a passage, themselves or by a state that they go on from, by name.
  std::vector<TextHolder> HoldersOf(const TextHit& hit, const HolderQuery& query) const;
  /// The sources that versions here have read from documents, themselves or by a state that they go
  /// on from, keeping the tokens, and whose text is not here; by state. What came with an import
  /// has none.
  std::vector<MissingText> Missing() const;
  /// Removes the texts that no source has any more.
  void RemoveUnneeded();
  uint64_t count() const;

 private:
  Database& database_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_TEXTS_H_
