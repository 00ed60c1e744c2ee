// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_TABLE_H_
#define STATELIB_CLI_TERMINAL_TABLE_H_

#include <string>
#include <vector>

#include "cli/terminal/output.h"

namespace statelib::cli {

enum class Align { kLeft, kRight };

/// Rows under headings, laid out when printed. Cells are text from anywhere, each shown as
/// one line (shown.h). No line is wider than the terminal: texts give way first, with "…", then
/// whole columns from the right, which a last "…" stands for. Numbers are never cut. One thread.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
    bool may_shorten = false;  ///< gives way before others of its kind
    Colour colour = Colour::kPlain;
  };

  explicit Table(std::vector<Column> columns);

  /// Adds a row. `cells` has one text a column.
  void Add(std::vector<std::string> cells);
  size_t size() const { return rows_.size(); }

  /// Prints headings and rows. On a pipe nothing is shortened.
  void Print(Output& out) const;

 private:
  std::vector<size_t> NaturalWidths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "name   value" lines with the values in one column, for the facts about one thing. Where the
/// terminal is too narrow, a value goes on in the next line of its column.
class FactList {
 public:
  void Add(std::string name, std::string value);
  void Print(Output& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> facts_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_TABLE_H_
