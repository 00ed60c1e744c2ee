// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_INDEX_PORTRAIT_H_
#define STATELIB_TESTS_STATESTORE_INDEX_PORTRAIT_H_

#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// All that an index of a library knows which a repair has to bring back, as lines. Of states that
/// no version names, the time is left out, of checkpoints too, and so are caches and proofs.
inline std::string PortraitOf(const std::filesystem::path& library) {
  const Database database = Database::Open(library / "index.db", Database::Mode::kRead);
  std::string lines;
  const std::pair<const char*, const char*> queries[] = {
      {"'ref', name, tag, current, moved_at, line, steps", "refs ORDER BY name, tag"},
      {"'version', name, tag, number, hex(id), derivation, versions.created_at",
       "versions JOIN refs ON refs.key = ref JOIN states ON states.key = state "
       "ORDER BY name, tag, number"},
      {"'move', name, tag, number, version, undoes, moves.moved_at",
       "moves JOIN refs ON refs.key = ref ORDER BY name, tag, number"},
      {"'derivation', key, hex(state), hex(parent_state), parent, operation, token_count, "
       "created_at, separator, heading, made_from",
       "derivations ORDER BY key"},
      {"'source', derivation, position, name, size_bytes, hex(digest), token_count, read_at, path",
       "sources ORDER BY derivation, position"},
      {"'model', hex(fingerprint), name, architecture, summary, hex(path), size_bytes, added_at, "
       "description, tokenizer_path, weights, card_question, card_stop, card_refusal, "
       "prompt_question, prompt_stop, prompt_refusal",
       "models ORDER BY fingerprint"},
      {"'had', name, tag, hex(there), hex(here)", "had ORDER BY name, tag, there"},
      {"'setting', key, hex(value)", "settings ORDER BY key"},
      {"'state', hex(id), hex(model), profile, token_count, hex(history_chain), hex(content), "
       "tokens_kept, raw_bytes, stored_bytes, hex(base), "
       "(SELECT hex(shorter.id) FROM states AS shorter WHERE shorter.key = states.prefix), "
       "iif(EXISTS(SELECT 1 FROM versions WHERE versions.state = states.key), created_at, '')",
       "states ORDER BY id"},
      {"'chunk', hex(id), position, hex(chunk), state_chunks.token_count",
       "state_chunks JOIN states ON states.key = state ORDER BY id, position"},
      {"'checkpoint', hex(id), unfinished",
       "checkpoints JOIN states ON states.key = state ORDER BY id"},
      {"'change', hex(key), number, hex(hash), kind, line, hex(state), first_derivation, "
       "last_derivation",
       "changes ORDER BY key, number"},
  };
  for (const auto& [columns, rows] : queries) {
    Statement statement =
        database.Prepare(fmt::format("SELECT json_array({}) FROM {}", columns, rows));
    while (statement.Step()) lines += statement.Text(0) + "\n";
  }
  return lines;
}

/// The first line in which two portraits differ, from both; empty where none does.
inline std::string DifferenceOf(const std::string& before, const std::string& now) {
  std::istringstream left(before), right(now);
  std::string a, b;
  while (true) {
    const bool has_left = static_cast<bool>(std::getline(left, a));
    const bool has_right = static_cast<bool>(std::getline(right, b));
    if (!has_left && !has_right) return "";
    if (!has_left || !has_right || a != b)
      return (has_left ? a : "(nothing)") + "\n" + (has_right ? b : "(nothing)");
  }
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_INDEX_PORTRAIT_H_
