// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_damage.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/prompt_form.h"
#include "statestore/storage/reference.h"

namespace statelib::storage {

namespace {

constexpr int kOfAKindMax = 20;

/// Rows that contradict others. `sql` gives a text a row, which `{}` in `what` stands for.
struct RowCheck {
  const char* sql;
  const char* what;
};

constexpr RowCheck kRowChecks[] = {
    {"SELECT refs.name || ':' || refs.tag || '@' || versions.number FROM versions JOIN refs ON "
     "refs.key = ref JOIN states ON states.key = versions.state JOIN derivations ON "
     "derivations.key = derivation WHERE derivations.state <> states.id",
     "the version {} points elsewhere: what is told of its making is of another state"},
    {"SELECT refs.name || ':' || refs.tag || '@' || versions.number FROM versions JOIN refs ON "
     "refs.key = ref JOIN states ON states.key = versions.state JOIN derivations ON "
     "derivations.key = derivation WHERE derivations.state = states.id AND "
     "derivations.token_count <> states.token_count",
     "the version {} and what is told of its making have different numbers of tokens"},
    {"SELECT name || ':' || tag FROM refs WHERE NOT EXISTS(SELECT 1 FROM versions WHERE ref = "
     "refs.key AND number = refs.current)",
     "the current version of {} is missing"},
    {"SELECT name || ':' || tag FROM refs WHERE current IS NOT (SELECT version FROM moves WHERE "
     "ref = refs.key ORDER BY number DESC LIMIT 1)",
     "{} is not at the version that it was moved to last"},
    {"SELECT refs.name || ':' || refs.tag || '@' || moves.version FROM moves JOIN refs ON "
     "refs.key = ref WHERE NOT EXISTS(SELECT 1 FROM versions WHERE versions.ref = moves.ref AND "
     "versions.number = moves.version)",
     "a move to {}, which is not there"},
    {"SELECT CAST(key AS TEXT) FROM derivations WHERE parent >= key",
     "the derivation {} has a parent that is not older"},
    {"SELECT lower(hex(delta.id)) FROM states AS delta JOIN states AS base ON base.id = "
     "delta.base WHERE base.base IS NOT NULL OR base.model <> delta.model OR base.profile <> "
     "delta.profile",
     "the state {} is a difference to one that is no base of it"},
    {"SELECT lower(hex(longer.id)) FROM states AS longer JOIN states AS shorter ON shorter.key = "
     "longer.prefix WHERE shorter.token_count >= longer.token_count OR shorter.model <> "
     "longer.model",
     "the state {} was computed from one that is not shorter or of another model"},
};

/// Runs a look for one kind of damage. What breaks off the look is a finding too.
template <typename Look>
void Try(std::vector<std::string>* lines, Look look) {
  try {
    look();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    lines->push_back(error.what());
  }
}

void FindWrongValues(const Database& database, const std::string& table, const std::string& column,
                     const std::string& condition, const std::string& what,
                     std::vector<std::string>* lines) {
  Statement statement =
      database.Prepare(fmt::format("SELECT count(*) FROM \"{}\" WHERE {}", table, condition));
  if (!statement.Step() || statement.Int(0) == 0) return;
  lines->push_back(fmt::format("index.db: {}.{} holds {} in {} of its rows", table, column, what,
                               statement.Int(0)));
}

/// Every column holds what it was declared for. Numbers that are no times count something.
void FindWrongColumns(const Database& database, const std::string& table,
                      std::vector<std::string>* lines) {
  Statement columns = database.Prepare("SELECT name, lower(type) FROM pragma_table_info(?)");
  columns.Bind(std::string_view(table));
  while (columns.Step()) {
    const std::string name = columns.Text(0), type = columns.Text(1);
    const std::string column = '"' + name + '"';
    if (type.empty()) continue;
    FindWrongValues(database, table, name,
                    fmt::format("typeof({}) NOT IN ('{}', 'null')", column, type),
                    "something else than " + type, lines);
    if (type == "blob")
      FindWrongValues(database, table, name,
                      fmt::format("typeof({}) = 'blob' AND length({}) <> 32", column, column),
                      "no hash of 32 bytes", lines);
    if (type == "integer" && !name.ends_with("_at"))
      FindWrongValues(database, table, name,
                      fmt::format("typeof({}) = 'integer' AND {} < 0", column, column),
                      "a negative number", lines);
  }
}

void FindWrongNames(const Database& database, std::vector<std::string>* lines) {
  Statement names = database.Prepare("SELECT name, tag FROM refs");
  for (int told = 0; told < kOfAKindMax && names.Step();) {
    const std::string name = names.Text(0), tag = names.Text(1);
    try {
      CheckName(name);
      CheckTag(tag);
    } catch (const Error& error) {
      lines->push_back(std::string("index.db: a name that is none: ") + error.what());
      ++told;
    }
  }
}

void FindWrongPrompts(const Database& database, std::vector<std::string>* lines) {
  for (const char* kind : {"card", "prompt"}) {
    for (const PromptPart& part : PromptParts()) {
      Statement texts = database.Prepare(
          fmt::format("SELECT {0}_{1} FROM models WHERE {0}_{1} IS NOT NULL", kind, part.name));
      for (int told = 0; told < kOfAKindMax && texts.Step();) {
        try {
          CheckPromptPart(part, texts.Text(0));
        } catch (const Error& error) {
          lines->push_back(std::string("index.db: a prompt form that is none: ") + error.what());
          ++told;
        }
      }
    }
  }
}

/// Whether two queries of texts and numbers give the same rows.
bool GiveTheSame(const Database& database, const std::string& one, const std::string& other,
                 int columns) {
  Statement a = database.Prepare(one), b = database.Prepare(other);
  while (true) {
    const bool more = a.Step();
    if (b.Step() != more) return false;
    if (!more) return true;
    for (int i = 0; i < columns; ++i) {
      if (a.Text(i) != b.Text(i)) return false;
    }
  }
}

// A second index of the passages' words, and what each index holds as a table.
constexpr const char* kMakeWords[] = {
    ("CREATE VIRTUAL TABLE temp.words USING fts5(body, content='', "
     "tokenize='unicode61 remove_diacritics 2')"),
    "INSERT INTO temp.words(rowid, body) SELECT key, body FROM main.passages ORDER BY key",
    "CREATE VIRTUAL TABLE temp.words_here USING fts5vocab('main', 'passages_fts', 'instance')",
    "CREATE VIRTUAL TABLE temp.words_expected USING fts5vocab('temp', 'words', 'instance')"};
constexpr const char* kDropWords[] = {"DROP TABLE IF EXISTS temp.words_here",
                                      "DROP TABLE IF EXISTS temp.words_expected",
                                      "DROP TABLE IF EXISTS temp.words"};

/// SQLite compares such an index with its texts only for those who may write, so that a second one
/// is made beside it, in a temporary file, and both are read side by side.
bool WordsAreThoseOfPassages(const Database& database) {
  const auto query = [](const char* columns, const std::string& table, const char* rest) {
    return fmt::format("SELECT {} FROM {} {}", columns, table, rest);
  };
  const auto same = [&](const char* columns, int count, const char* here, const char* expected,
                        const char* rest) {
    return GiveTheSame(database, query(columns, here, rest), query(columns, expected, rest), count);
  };
  for (const char* sql : kMakeWords) database.Prepare(sql).Run();
  return same("term, CAST(doc AS TEXT), CAST(offset AS TEXT)", 3, "temp.words_here",
              "temp.words_expected", "") &&
         same("CAST(id AS TEXT), hex(sz)", 2, "main.passages_fts_docsize", "temp.words_docsize",
              "ORDER BY id") &&
         same("hex(block)", 1, "main.passages_fts_data", "temp.words_data", "WHERE id = 1");
}

void FindWrongWords(const Database& database, std::vector<std::string>* lines) {
  bool right = false;
  try {
    right = WordsAreThoseOfPassages(database);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
  }
  for (const char* sql : kDropWords) Try(lines, [&] { database.Prepare(sql).Run(); });
  if (!right)
    lines->push_back("index.db: the words that search looks in are not those of the passages");
}

}  // namespace

void FindFileDamage(const Database& database, std::vector<std::string>* lines) {
  Try(lines, [&] {
    Statement check = database.Prepare(fmt::format("PRAGMA integrity_check({})", kOfAKindMax));
    while (check.Step()) {
      if (check.Text(0) != "ok") lines->push_back("index.db: " + check.Text(0));
    }
  });
  Try(lines, [&] {
    Statement keys = database.Prepare("PRAGMA foreign_key_check");
    for (int told = 0; told < kOfAKindMax && keys.Step(); ++told) {
      const auto row = keys.MaybeInt(1);  // a table without row ids has none
      lines->push_back(fmt::format("index.db: {} of {} refers to a row of {} that is not there",
                                   row ? fmt::format("row {}", *row) : "a row", keys.Text(0),
                                   keys.Text(2)));
    }
  });
}

void FindRowDamage(const Database& database, std::vector<std::string>* lines) {
  Try(lines, [&] {
    Statement tables = database.Prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT "
        "LIKE 'sqlite\\_%' ESCAPE '\\'");
    while (tables.Step()) {
      const std::string table = tables.Text(0);
      Try(lines, [&] { FindWrongColumns(database, table, lines); });
    }
  });
  Try(lines, [&] { FindWrongNames(database, lines); });
  Try(lines, [&] { FindWrongPrompts(database, lines); });
  Try(lines, [&] { FindWrongWords(database, lines); });
  for (const RowCheck& check : kRowChecks) {
    Try(lines, [&] {
      Statement rows = database.Prepare(fmt::format("{} LIMIT {}", check.sql, kOfAKindMax));
      while (rows.Step()) {
        const std::string what = check.what;
        const size_t place = what.find("{}");
        lines->push_back("index.db: " + what.substr(0, place) + Escaped(rows.Text(0)) +
                         what.substr(place + 2));
      }
    });
  }
}

}  // namespace statelib::storage
