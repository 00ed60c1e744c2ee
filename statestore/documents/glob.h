// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_GLOB_H_
#define STATELIB_STATESTORE_DOCUMENTS_GLOB_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace statelib::documents {

/// Whether one name, without '/', is of a pattern with * ? [a-z] [!a-z] and \ before what is meant
/// as it stands. Adds to `steps` what that took: at most the product of both lengths.
bool MatchesName(std::string_view pattern, std::string_view name, uint64_t* steps);

/// One line of a .gitignore file (gitignore(5)).
struct IgnoreRule {
  std::vector<std::string>
      parts;                  ///< the pattern between its slashes; "**" is any number of folders
  bool negated = false;       ///< "!": what it matches is not left out
  bool folders_only = false;  ///< it ended with "/"
};

/// The rules of such a file, in order; empty lines and comments are none.
std::vector<IgnoreRule> ParseIgnoreRules(std::string_view file);

/// Whether a rule is about a path, which is relative to the folder of the rule's file. Adds to
/// `steps` what that took.
bool Matches(const IgnoreRule& rule, std::string_view path, bool is_folder, uint64_t* steps);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_GLOB_H_
