// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_texts.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

constexpr size_t kPassageBytesMin = 600;
constexpr size_t kPassageBytesMax = 1800;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Where the first passage of `text` ends.
size_t PassageEnd(std::string_view text) {
  if (text.size() <= kPassageBytesMax) return text.size();
  const std::string_view window = text.substr(0, kPassageBytesMax);
  for (const std::string_view end : {"\n\n", "\n", ". ", " "}) {
    const size_t at = window.rfind(end);
    if (at != std::string_view::npos && at + end.size() >= kPassageBytesMin) return at + end.size();
  }
  size_t end = kPassageBytesMax;
  while (end > kPassageBytesMax - 4 && IsContinuation(text[end])) --end;
  return end;
}

std::string FirstTokensText(const std::vector<uint32_t>& first_tokens) {
  std::string hex;
  for (const uint32_t token : first_tokens) hex += fmt::format("{:08x}", token);
  return hex;
}

/// Passages as the index has them: without the two characters that mark matches.
std::string Body(std::string_view text) {
  std::string body(text);
  std::replace(body.begin(), body.end(), kMatchBegin, ' ');
  std::replace(body.begin(), body.end(), kMatchEnd, ' ');
  return body;
}

constexpr const char* kUnneeded =
    "(SELECT key FROM texts WHERE NOT EXISTS(SELECT 1 FROM source_texts WHERE text = texts.key))";

}  // namespace

void ForEachPassage(const RunOf<char>& text, const std::function<void(const Passage&)>& visit) {
  std::string window;
  uint64_t first_byte = 0;  // of the window
  // Where a passage ends depends on no byte beyond the longest one's first behind it.
  const auto cut = [&](size_t bytes_to_keep) {
    size_t begin = 0;
    while (window.size() - begin > bytes_to_keep) {
      const size_t length = PassageEnd(std::string_view(window).substr(begin));
      visit({first_byte + begin, std::string_view(window).substr(begin, length)});
      begin += length;
    }
    window.erase(0, begin);
    first_byte += begin;
  };
  text.ForEach([&](std::span<const char> piece) {
    window.append(piece.data(), piece.size());
    cut(kPassageBytesMax);
  });
  cut(0);
}

void IndexTexts::Add(int64_t derivation, const SourceText& source) {
  const Digest digest = HashOfText(source.text);
  database_.Write([&] {
    Statement insert = database_.Prepare(
        "INSERT INTO texts(digest, size_bytes) VALUES(?, ?) ON CONFLICT(digest) DO NOTHING");
    insert.Bind(digest).Bind(uint64_t{source.text.size()});
    insert.Run();
    const bool is_new = database_.changed_rows() == 1;
    Statement find = database_.Prepare("SELECT key FROM texts WHERE digest = ?");
    find.Bind(digest);
    find.Step();
    const int64_t text = find.Int(0);
    find.Reset();
    if (is_new) {
      Statement passage = database_.Prepare(
          "INSERT INTO passages(text, position, first_byte, body) VALUES(?, ?, ?, ?)");
      Statement words = database_.Prepare("INSERT INTO passages_fts(rowid, body) VALUES(?, ?)");
      int64_t position = 0;
      ForEachPassage(source.text, [&](const Passage& piece) {
        const std::string body = Body(piece.text);
        passage.Bind(text).Bind(position++).Bind(piece.first_byte).Bind(std::string_view(body));
        passage.Run();
        words.Bind(database_.last_insert_key()).Bind(std::string_view(body));
        words.Run();
      });
    }
    Statement link = database_.Prepare(
        "INSERT INTO source_texts(derivation, position, text, first_tokens) VALUES(?, ?, ?, ?)");
    link.Bind(derivation)
        .Bind(uint64_t{source.position})
        .Bind(text)
        .Bind(std::string_view(FirstTokensText(source.first_tokens)));
    link.Run();
  });
}

void IndexTexts::Find(const std::string& query, const std::function<bool(const TextHit&)>& visit,
                      std::optional<int64_t> read_by) const {
  Statement statement = database_.Prepare(
      "SELECT passages.text, passages.position, passages.first_byte, "
      "highlight(passages_fts, 0, char(1), char(2)), rank FROM passages_fts "
      "JOIN passages ON passages.key = passages_fts.rowid WHERE passages_fts MATCH ?1 "
      "AND (?2 IS NULL OR passages.text IN (WITH RECURSIVE above(key) AS (SELECT ?2 UNION "
      "SELECT parent FROM derivations JOIN above USING(key) WHERE parent IS NOT NULL) "
      "SELECT text FROM source_texts JOIN above ON above.key = derivation)) "
      "ORDER BY rank, passages_fts.rowid");
  statement.Bind(std::string_view(query)).Bind(read_by);
  while (statement.Step()) {
    const TextHit hit{statement.Int(0), statement.Uint(1), statement.Uint(2), statement.Text(3),
                      statement.Real(4)};
    if (!visit(hit)) return;
  }
}

std::vector<TextHolder> IndexTexts::HoldersOf(const TextHit& hit, const HolderQuery& query) const {
  // `below` has every derivation that goes on from one that read the text. A source's first token
  // follows from the end of its derivation's history.
  Statement statement = database_.Prepare(
      "WITH RECURSIVE below(key, source, first_token, within) AS ("
      "SELECT derivations.key, sources.name, derivations.token_count - "
      "(SELECT sum(later.token_count) FROM sources AS later WHERE later.derivation = "
      "derivations.key AND later.position >= sources.position), "
      "substr(source_texts.first_tokens, 1 + 8 * ?, 8) "
      "FROM source_texts JOIN sources USING(derivation, position) "
      "JOIN derivations ON derivations.key = source_texts.derivation WHERE source_texts.text = ? "
      "UNION SELECT derivations.key, below.source, below.first_token, below.within "
      "FROM derivations JOIN below ON derivations.parent = below.key) "
      "SELECT refs.name, refs.tag, versions.number, states.id, below.source, below.first_token, "
      "below.within FROM below JOIN versions ON versions.derivation = below.key "
      "JOIN refs ON refs.key = versions.ref JOIN states ON states.key = versions.state "
      "WHERE (? OR versions.number = refs.current) AND (? = '' OR refs.name GLOB ?) "
      "AND coalesce(refs.tag GLOB ?, 1) ORDER BY refs.name, refs.tag, versions.number DESC, "
      "below.first_token LIMIT ?");
  statement.Bind(hit.position)
      .Bind(hit.text)
      .Bind(int64_t{query.all_versions})
      .Bind(std::string_view(query.name_pattern))
      .Bind(std::string_view(query.name_pattern));
  if (query.tag)
    statement.Bind(std::string_view(*query.tag));
  else
    statement.BindNull();
  statement.Bind(static_cast<int64_t>(std::min<uint64_t>(query.limit, INT64_MAX)));
  std::vector<TextHolder> holders;
  while (statement.Step()) {
    const std::string within = statement.Text(6);
    const uint64_t token =
        statement.Uint(5) + (within.empty() ? 0 : std::strtoul(within.c_str(), nullptr, 16));
    holders.push_back({statement.Text(0), statement.Text(1), statement.Uint(2),
                       statement.ToDigest(3), statement.Text(4), token});
  }
  return holders;
}

std::vector<MissingText> IndexTexts::Missing() const {
  Statement statement = database_.Prepare(
      "WITH RECURSIVE line(state, tokens, key) AS ("
      "SELECT states.id, states.token_count, versions.derivation FROM versions JOIN states ON "
      "states.key = versions.state WHERE tokens_kept UNION "
      "SELECT line.state, line.tokens, derivations.parent FROM derivations JOIN line USING(key) "
      "WHERE derivations.parent IS NOT NULL AND operation <> ?1) "
      "SELECT derivations.key, sources.position, sources.name, derivations.token_count - "
      "(SELECT sum(later.token_count) FROM sources AS later WHERE later.derivation = "
      "derivations.key AND later.position >= sources.position) AS first, sources.token_count, "
      "min(line.state) AS state, separator, heading FROM line JOIN derivations USING(key) "
      "JOIN sources ON sources.derivation = derivations.key "
      "WHERE operation IN (?2, ?3) AND derivations.token_count <= line.tokens AND NOT EXISTS("
      "SELECT 1 FROM source_texts WHERE source_texts.derivation = sources.derivation AND "
      "source_texts.position = sources.position) "
      "GROUP BY derivations.key, sources.position ORDER BY state, first");
  statement.Bind(static_cast<int64_t>(Operation::kImport))
      .Bind(static_cast<int64_t>(Operation::kIngest))
      .Bind(static_cast<int64_t>(Operation::kAppend));
  std::vector<MissingText> missing;
  while (statement.Step()) {
    if (statement.Int(3) < 0) continue;  // of damaged lineage
    missing.push_back({statement.Int(0),
                       statement.Uint(1),
                       statement.Text(2),
                       statement.Uint(3),
                       statement.Uint(4),
                       statement.ToDigest(5),
                       {statement.Text(6), statement.Text(7)}});
  }
  return missing;
}

void IndexTexts::RemoveUnneeded() {
  database_.Write([&] {
    // Lineage outlives states; a text stays as long as a version that keeps its tokens has read it.
    database_.Execute(
        "WITH RECURSIVE kept(key) AS (SELECT versions.derivation FROM versions JOIN states ON "
        "states.key = versions.state WHERE tokens_kept UNION SELECT derivations.parent FROM "
        "derivations JOIN kept USING(key) WHERE derivations.parent IS NOT NULL) "
        "DELETE FROM source_texts WHERE derivation NOT IN (SELECT key FROM kept)");
    // The full-text index keeps no text of its own and must be told what it forgets.
    database_.Execute(std::string("INSERT INTO passages_fts(passages_fts, rowid, body) SELECT "
                                  "'delete', key, body FROM passages WHERE text IN ") +
                      kUnneeded);
    database_.Execute(std::string("DELETE FROM texts WHERE key IN ") + kUnneeded);
  });
}

uint64_t IndexTexts::count() const {
  Statement statement = database_.Prepare("SELECT count(*) FROM texts");
  return statement.Step() ? statement.Uint(0) : 0;
}

}  // namespace statelib::storage
