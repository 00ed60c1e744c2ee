// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/search.h"

#include <algorithm>
#include <optional>

#include "core/base/error.h"

namespace statelib::library {

namespace {

constexpr size_t kTermsMax = 64;
constexpr size_t kParenthesesMax = 16;
constexpr size_t kSnippetBytes = 240;
constexpr size_t kBeforeMatchBytes = 80;

struct Token {
  enum class Kind { kTerm, kOperator, kOpen, kClose };
  Kind kind = Kind::kTerm;
  std::string text;  ///< of a term or an operator
  bool prefix = false;
};

[[noreturn]] void ThrowQuery(const std::string& query, const std::string& what) {
  Throw(ErrorKind::kInvalidArgument,
        "\"{}\" is no query: {}; a query is words, \"a phrase\", beginn*, AND, OR, NOT and ( )",
        storage::Escaped(query), what);
}

std::vector<Token> Tokens(const std::string& query) {
  std::vector<Token> tokens;
  for (size_t i = 0; i < query.size();) {
    const char c = query[i];
    if (std::string_view(" \t\r\n").find(c) != std::string_view::npos) {
      ++i;
    } else if (c == '(' || c == ')') {
      tokens.push_back({c == '(' ? Token::Kind::kOpen : Token::Kind::kClose, "", false});
      ++i;
    } else {
      Token token;
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
          token.kind = Token::Kind::kOperator;
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

/// Cuts a passage to what stands around its first match, at spaces where some are near.
void Shorten(SearchResult& result) {
  const std::string& text = result.snippet;
  if (text.size() <= kSnippetBytes) return;
  const size_t first = result.matches.empty() ? 0 : result.matches[0].first;
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
    const size_t match_end = result.matches.empty() ? begin : result.matches[0].second;
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

}  // namespace

std::string FullTextQuery(const std::string& query) {
  std::string out;
  size_t open = 0;
  bool wants_term = true;  // nothing, an operator or "(" stands before
  bool after_close = false;
  for (const Token& token : Tokens(query)) {
    if (token.kind == Token::Kind::kOperator) {
      if (wants_term) ThrowQuery(query, "nothing stands before " + token.text);
      out += " " + token.text + " ";
      wants_term = true;
    } else if (token.kind == Token::Kind::kClose) {
      if (open == 0) ThrowQuery(query, "a ) has no ( before it");
      if (wants_term) ThrowQuery(query, "nothing stands before a )");
      --open;
      out += ")";
      after_close = true;
      continue;
    } else {
      const bool is_open = token.kind == Token::Kind::kOpen;
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
      SearchResult result = Unmarked(hit.marked);
      result.byte = hit.first_byte + (result.matches.empty() ? 0 : result.matches[0].first);
      result.rank = hit.rank;
      result.holders = std::move(holders);
      Shorten(result);
      results.push_back(std::move(result));
      return results.size() < options.limit;
    });
  });
  return results;
}

}  // namespace statelib::library
