// SPDX-License-Identifier: Apache-2.0
// A small library whose rows the fuzzer changes through SQL; everything that storage can be asked
// for is asked of what is left.
#include <fuzzer/FuzzedDataProvider.h>

#include "tests/fuzz/fuzz_files.h"
#include "tests/statestore/hostile_index.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kChangesMax = 8;
constexpr size_t kValueBytesMax = 64;

struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::string key;  // its columns, as SQL has them
};

std::vector<Table> TablesOf(const fs::path& index) {
  const Database database = Database::Open(index, Database::Mode::kRead);
  Statement tables = database.Prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'passages_fts'");
  std::vector<Table> all;
  while (tables.Step()) {
    Table table{tables.Text(0), {}, ""};
    Statement columns = database.Prepare("SELECT name, pk FROM pragma_table_info(?)");
    columns.Bind(std::string_view(table.name));
    while (columns.Step()) {
      const std::string column = '"' + columns.Text(0) + '"';
      table.columns.push_back(column);
      if (columns.Int(1) > 0) table.key += (table.key.empty() ? "" : ", ") + column;
    }
    if (table.key.empty()) table.key = "rowid";
    all.push_back(std::move(table));
  }
  return all;
}

std::string AsSql(const std::string& text) {
  std::string sql = "x'";
  for (const char c : text) sql += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return sql + "'";
}

/// A value, or one that stands elsewhere in the index.
std::string Value(const std::vector<Table>& tables, FuzzedDataProvider* input) {
  switch (input->ConsumeIntegralInRange<int>(0, 6)) {
    case 0:
      return std::to_string(input->ConsumeIntegral<int8_t>());
    case 1:
      return std::to_string(input->ConsumeIntegral<int64_t>());
    case 2:
      return "CAST(" + AsSql(input->ConsumeRandomLengthString(kValueBytesMax)) + " AS TEXT)";
    case 3:
      return AsSql(input->ConsumeRandomLengthString(kValueBytesMax));
    case 4:
      return "NULL";
    case 5:
      return "1.5";
    default: {
      const Table& table = tables[input->ConsumeIntegralInRange<size_t>(0, tables.size() - 1)];
      const size_t column = input->ConsumeIntegralInRange<size_t>(0, table.columns.size() - 1);
      return fmt::format("(SELECT {} FROM \"{}\" LIMIT 1 OFFSET {})", table.columns[column],
                         table.name, input->ConsumeIntegralInRange<int>(0, 15));
    }
  }
}

/// A statement that changes or removes one row or every one of a table.
std::string Change(const std::vector<Table>& tables, FuzzedDataProvider* input) {
  const Table& table = tables[input->ConsumeIntegralInRange<size_t>(0, tables.size() - 1)];
  const int row = input->ConsumeIntegralInRange<int>(0, 15);
  std::string location = fmt::format(" WHERE ({}) IN (SELECT {} FROM \"{}\" LIMIT 1 OFFSET {})",
                                     table.key, table.key, table.name, row);
  if (row == 15) location.clear();
  if (input->ConsumeIntegralInRange<int>(0, 7) == 0)
    return fmt::format("DELETE FROM \"{}\"{}", table.name, location);
  const size_t column = input->ConsumeIntegralInRange<size_t>(0, table.columns.size() - 1);
  return fmt::format("UPDATE OR IGNORE \"{}\" SET {} = {}{}", table.name, table.columns[column],
                     Value(tables, input), location);
}

void Use(FuzzedDataProvider* input) {
  static const MemoryFolder folder("fuzz-index");
  static const fs::path sound = folder.path() / "sound";
  static const std::vector<Table> tables = [] {
    MakeLibraryOfEverything(sound);
    return TablesOf(sound / "index.db");
  }();
  const fs::path library = folder.path() / "library";
  fs::remove_all(library);
  fs::copy(sound, library, fs::copy_options::recursive);
  for (int i = 0; i < kChangesMax && input->remaining_bytes() > 0; ++i) {
    ChangeIndex(library / "index.db",
                "PRAGMA ignore_check_constraints = ON; " + Change(tables, input));
  }
  Attempt("open", [&] {
    Repository repository = Repository::Open(library, Repository::Access::kWrite);
    ReadEverything(repository);
    ExportEverything(repository, folder.path());
    WriteEverything(repository);
  });
}

}  // namespace
}  // namespace statelib::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  statelib::storage::Use(&input);  // what it throws ends the process, which the fuzzer reports
  return 0;
}
