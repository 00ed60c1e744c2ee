// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/glob.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <span>

namespace statelib::documents {

namespace {

struct Step {
  bool matches = false;
  size_t length = 0;  // of the pattern that was used
};

bool IsInClass(std::string_view name, unsigned char c) {
  struct Class {
    std::string_view name;
    int (*has)(int);
  };
  static constexpr Class kClasses[] = {
      {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank},
      {"cntrl", std::iscntrl}, {"digit", std::isdigit}, {"graph", std::isgraph},
      {"lower", std::islower}, {"print", std::isprint}, {"punct", std::ispunct},
      {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
  for (const Class& known : kClasses)
    if (known.name == name) return known.has(c) != 0;
  return false;
}

/// "[a-z]" at the front of `pattern` against one character; length 0 when it does not end.
Step MatchSet(std::string_view pattern, char character) {
  const auto c = static_cast<unsigned char>(character);
  size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) return {found != negated, i + 1};
    if (pattern.substr(i).starts_with("[:")) {
      const size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) {
        found |= IsInClass(pattern.substr(i + 2, end - i - 2), c);
        i = end + 2;
        continue;
      }
    }
    const auto take = [&]() -> unsigned char {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      return static_cast<unsigned char>(pattern[i++]);
    };
    const unsigned char low = take();
    unsigned char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      high = take();
    }
    found |= low <= c && c <= high;
  }
  return {};
}

/// The front of `pattern`, which is no star, against one character.
Step MatchOne(std::string_view pattern, char c) {
  if (pattern[0] == '?') return {true, 1};
  if (pattern[0] == '[') return MatchSet(pattern, c);
  if (pattern[0] == '\\') return {pattern.size() > 1 && pattern[1] == c, 2};
  return {pattern[0] == c, 1};
}

bool MatchParts(std::span<const std::string> pattern, std::span<const std::string_view> path,
                uint64_t* steps) {
  // As MatchesName, with "**" for the star: only the last one is ever taken longer.
  size_t p = 0;
  size_t t = 0;
  size_t star = SIZE_MAX;
  size_t star_t = 0;
  while (t < path.size()) {
    ++*steps;
    if (p < pattern.size() && pattern[p] == "**") {
      // A closing "**" is everything inside and not the folder itself.
      if (p + 1 == pattern.size()) return true;
      star = p++;
      star_t = t;
    } else if (p < pattern.size() && MatchesName(pattern[p], path[t], steps)) {
      ++p;
      ++t;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      t = ++star_t;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

/// The line without the spaces at its end that no backslash keeps.
std::string_view WithoutTrailingSpace(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  while (line.ends_with(' ')) {
    size_t backslashes = 0;
    while (backslashes + 1 < line.size() && line[line.size() - 2 - backslashes] == '\\')
      ++backslashes;
    if (backslashes % 2 == 1) break;
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

bool MatchesName(std::string_view pattern, std::string_view name, uint64_t* steps) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_n = 0;
  while (n < name.size()) {
    ++*steps;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_n = n;
      continue;
    }
    const Step step = p < pattern.size() ? MatchOne(pattern.substr(p), name[n]) : Step{};
    // A set is looked through to its end, or to the pattern's.
    *steps += step.length > 0 ? step.length : pattern.size() - std::min(p, pattern.size());
    if (step.matches) {
      p += step.length;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_n;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<IgnoreRule> ParseIgnoreRules(std::string_view file) {
  std::vector<IgnoreRule> rules;
  if (file.starts_with("\xef\xbb\xbf")) file.remove_prefix(3);
  while (!file.empty()) {
    const size_t end = std::min(file.find('\n'), file.size());
    std::string_view line = WithoutTrailingSpace(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
    if (line.empty() || line[0] == '#') continue;
    IgnoreRule rule;
    rule.negated = line[0] == '!';
    if (rule.negated) line.remove_prefix(1);
    rule.folders_only = line.ends_with('/');
    if (rule.folders_only) line.remove_suffix(1);
    // A slash before the end ties the pattern to the folder of its file.
    const bool anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    if (!anchored) rule.parts.push_back("**");
    while (true) {
      const size_t slash = std::min(line.find('/'), line.size());
      const std::string_view part = line.substr(0, slash);
      // Stars in a row are one between slashes: "**" is any number of folders only when alone.
      if (part != "**" || rule.parts.empty() || rule.parts.back() != "**")
        rule.parts.emplace_back(part);
      if (slash == line.size()) break;
      line.remove_prefix(slash + 1);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

bool Matches(const IgnoreRule& rule, std::string_view path, bool is_folder, uint64_t* steps) {
  ++*steps;
  if (rule.folders_only && !is_folder) return false;
  std::vector<std::string_view> parts;
  while (true) {
    const size_t slash = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, slash));
    if (slash == path.size()) break;
    path.remove_prefix(slash + 1);
  }
  return MatchParts(rule.parts, parts, steps);
}

}  // namespace statelib::documents
