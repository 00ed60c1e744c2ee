// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/search.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/base/error.h"
#include "core/base/letters.h"
#include "core/base/printable.h"

namespace statelib::library {

namespace {

constexpr size_t kTermsMax = 64;
constexpr size_t kParenthesesMax = 16;
constexpr size_t kSnippetBytes = 240;
constexpr size_t kBeforeMatchBytes = 80;

struct QueryToken {
  enum class Kind { kTerm, kOperator, kOpen, kClose };
  Kind kind = Kind::kTerm;
  std::string text;  ///< of a term or an operator
  bool prefix = false;
};

[[noreturn]] void ThrowQuery(const std::string& query, const std::string& what) {
  Throw(ErrorKind::kInvalidArgument,
        "\"{}\" is no query: {}; a query is words, \"a phrase\", beginn*, AND, OR, NOT and ( )",
        Escaped(query), what);
}

std::vector<QueryToken> QueryTokens(const std::string& query) {
  std::vector<QueryToken> tokens;
  for (size_t i = 0; i < query.size();) {
    const char c = query[i];
    if (std::string_view(" \t\r\n").find(c) != std::string_view::npos) {
      ++i;
    } else if (c == '(' || c == ')') {
      tokens.push_back({c == '(' ? QueryToken::Kind::kOpen : QueryToken::Kind::kClose, "", false});
      ++i;
    } else {
      QueryToken token;
      size_t end = 0;
      if (c == '"') {
        end = query.find('"', i + 1);
        if (end == std::string::npos) ThrowQuery(query, "a \" is not closed");
        token.text = query.substr(i + 1, end - i - 1);
        i = end + 1;
      } else {
        end = std::min(query.find_first_of(" \t\r\n()\"", i), query.size());
        token.text = query.substr(i, end - i);
        i = end;
        if (token.text == "AND" || token.text == "OR" || token.text == "NOT")
          token.kind = QueryToken::Kind::kOperator;
        if (token.text.ends_with('*')) {
          token.prefix = true;
          token.text.pop_back();
        }
      }
      if (i < query.size() && query[i] == '*' && c == '"') {
        token.prefix = true;
        ++i;
      }
      if (std::count(token.text.begin(), token.text.end(), '\0') > 0)
        ThrowQuery(query, "it has a NUL in it");
      tokens.push_back(std::move(token));
    }
    if (tokens.size() > kTermsMax) ThrowQuery(query, "it has too many words");
  }
  return tokens;
}

/// In small letters, as far as they are ASCII.
std::string Lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// A passage's text without the marks, and where they stood.
SearchResult Unmarked(const std::string& marked) {
  SearchResult result;
  for (const char c : marked) {
    if (c == storage::kMatchBegin)
      result.matches.emplace_back(result.snippet.size(), result.snippet.size());
    else if (c == storage::kMatchEnd && !result.matches.empty())
      result.matches.back().second = result.snippet.size();
    else
      result.snippet += c;
  }
  return result;
}

/// Cuts a passage to what stands around a match, at spaces where some are near.
void Shorten(SearchResult& result, size_t match) {
  const std::string& text = result.snippet;
  if (text.size() <= kSnippetBytes) return;
  const size_t first = result.matches.empty() ? 0 : result.matches[match].first;
  const auto is_inside = [&](size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  size_t begin = first > kBeforeMatchBytes ? first - kBeforeMatchBytes : 0;
  if (begin > 0) {
    const size_t space = text.find_first_of(" \n", begin);
    if (space < first) begin = space + 1;
  }
  while (is_inside(begin)) ++begin;
  size_t end = std::min(begin + kSnippetBytes, text.size());
  if (end < text.size()) {
    const size_t space = text.find_last_of(" \n", end);
    const size_t match_end = result.matches.empty() ? begin : result.matches[match].second;
    if (space != std::string::npos && space > std::max(match_end, begin + kSnippetBytes / 2))
      end = space;
  }
  while (is_inside(end)) ++end;
  std::vector<std::pair<size_t, size_t>> matches;
  for (const auto& [from, to] : result.matches)
    if (from >= begin && to <= end) matches.emplace_back(from - begin, to - begin);
  result.snippet = text.substr(begin, end - begin);
  result.matches = std::move(matches);
}

/// The match after which the most different words of the query stand within a snippet.
size_t DensestMatch(const SearchResult& result) {
  size_t densest = 0, most = 0;
  for (size_t i = 0; i < result.matches.size(); ++i) {
    std::set<std::string> words;
    for (size_t j = i; j < result.matches.size(); ++j) {
      const auto [from, to] = result.matches[j];
      if (to > result.matches[i].first + kSnippetBytes - kBeforeMatchBytes) break;
      words.insert(Lower(result.snippet.substr(from, to - from)));
    }
    if (words.size() > most) {
      most = words.size();
      densest = i;
    }
  }
  return densest;
}

SearchResult ResultOf(const storage::TextHit& hit, std::vector<storage::TextHolder> holders,
                      size_t (*choose_match)(const SearchResult&)) {
  SearchResult result = Unmarked(hit.marked);
  const size_t match = choose_match(result);
  result.byte = hit.first_byte + (result.matches.empty() ? 0 : result.matches[match].first);
  result.rank = hit.rank;
  result.holders = std::move(holders);
  Shorten(result, match);
  return result;
}

/// What a question is asked with, whatever it asks for; sorted.
constexpr std::string_view kAsking[] = {
    "a",    "about", "an",   "and",   "are",   "as",  "at",   "be",    "by",    "can",  "did",
    "do",   "does",  "for",  "from",  "had",   "has", "have", "how",   "in",    "is",   "it",
    "its",  "many",  "much", "of",    "on",    "or",  "that", "the",   "there", "to",   "was",
    "were", "what",  "when", "where", "which", "who", "whom", "whose", "why",   "will", "with"};

/// The words of a question as a query of which one is enough; empty where it has none.
std::string AnyWordQuery(const std::string& question) {
  std::set<std::string> all, telling;
  for (size_t i = 0; i < question.size() && all.size() < kTermsMax;) {
    std::string word;
    while (i < question.size()) {
      const Character character = FrontCharacter(std::string_view(question).substr(i));
      if (character.kind != CharacterKind::kLetterOrDigit && character.kind != CharacterKind::kMark)
        break;
      word += question.substr(i, character.bytes);
      i += character.bytes;
    }
    if (word.empty()) {
      ++i;
      continue;
    }
    word = Lower(word);
    all.insert(word);
    if (!std::binary_search(std::begin(kAsking), std::end(kAsking), word)) telling.insert(word);
  }
  std::string query;
  for (const std::string& word : telling.empty() ? all : telling)
    query += (query.empty() ? "\"" : " OR \"") + word + "\"";
  return query;
}

}  // namespace

std::string FullTextQuery(const std::string& query) {
  std::string out;
  size_t open = 0;
  bool wants_term = true;  // nothing, an operator or "(" stands before
  bool after_close = false;
  for (const QueryToken& token : QueryTokens(query)) {
    if (token.kind == QueryToken::Kind::kOperator) {
      if (wants_term) ThrowQuery(query, "nothing stands before " + token.text);
      out += " " + token.text + " ";
      wants_term = true;
    } else if (token.kind == QueryToken::Kind::kClose) {
      if (open == 0) ThrowQuery(query, "a ) has no ( before it");
      if (wants_term) ThrowQuery(query, "nothing stands before a )");
      --open;
      out += ")";
      after_close = true;
      continue;
    } else {
      const bool is_open = token.kind == QueryToken::Kind::kOpen;
      // FTS5 takes words side by side for AND, but not beside parentheses.
      if (!wants_term) out += is_open || after_close ? " AND " : " ";
      if (is_open) {
        if (++open > kParenthesesMax) ThrowQuery(query, "its parentheses nest too deep");
        out += "(";
      } else {
        std::string text = token.text;
        for (size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2)
          text.insert(at, 1, '"');
        out += '"' + text + '"' + (token.prefix ? "*" : "");
      }
      wants_term = is_open;
    }
    after_close = false;
  }
  if (out.empty()) ThrowQuery(query, "it is empty");
  if (wants_term) ThrowQuery(query, "it ends too early");
  if (open > 0) ThrowQuery(query, "a ( is not closed");
  return out;
}

std::vector<SearchResult> Search(const Library& library, const std::string& query,
                                 const SearchOptions& options) {
  std::vector<SearchResult> results;
  const std::string full_text = FullTextQuery(query);
  if (options.limit == 0) return results;
  const storage::Index& index = library.repository().index();
  index.Read([&] {
    index.texts().Find(full_text, [&](const storage::TextHit& hit) {
      std::vector<storage::TextHolder> holders = index.texts().HoldersOf(hit, options.states);
      if (holders.empty()) return true;
      results.push_back(
          ResultOf(hit, std::move(holders), [](const SearchResult&) { return size_t{0}; }));
      return results.size() < options.limit;
    });
  });
  return results;
}

std::vector<SearchResult> PassagesFor(const Library& library, const storage::ResolvedState& state,
                                      const std::string& question, size_t limit) {
  std::vector<SearchResult> results;
  const std::string query = AnyWordQuery(question);
  if (query.empty() || limit == 0) return results;
  storage::HolderQuery names;
  names.all_versions = true;
  if (state.reference) {
    names.name_pattern = state.reference->name;
    names.tag = state.reference->tag;
  }
  const storage::Index& index = library.repository().index();
  const auto visit = [&](const storage::TextHit& hit) {
    std::vector<storage::TextHolder> holders = index.texts().HoldersOf(hit, names);
    std::erase_if(holders, [&](const auto& holder) { return holder.state != state.state.id; });
    if (!holders.empty()) {
      holders.resize(1);
      results.push_back(ResultOf(hit, std::move(holders), DensestMatch));
    }
    return results.size() < limit;
  };
  index.Read([&] { index.texts().Find(query, visit, state.derivation); });
  return results;
}

}  // namespace statelib::library
