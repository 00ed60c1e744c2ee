// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/table.h"

#include <algorithm>
#include <utility>

#include "cli/terminal/display_width.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr size_t kGap = 2;
constexpr size_t kShortenedMin = 8;
constexpr size_t kFirstMin = 12;  // a table's first text is mostly what its rows are called
constexpr const char* kMore = "…";

std::string Padded(const std::string& text, size_t width, Align align) {
  const size_t used = DisplayWidth(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return align == Align::kRight ? space + text : text + space;
}

/// Takes from a width what is too much, down to `least`.
void Cut(size_t least, size_t& width, size_t& too_much) {
  const size_t cut = std::min(width - std::min(width, least), too_much);
  width -= cut;
  too_much -= cut;
}

/// Whether as many of the columns as there are widths fit once texts have given way, as they then
/// do; a single one always does. `widths` is unchanged where they do not.
bool Fit(const std::vector<Table::Column>& columns, size_t columns_max,
         std::vector<size_t>& widths) {
  size_t total = widths.size() < columns.size() ? kGap + 1 : 0;
  for (size_t i = 0; i < widths.size(); ++i) total += widths[i] + (i == 0 ? 0 : kGap);
  size_t too_much = total > columns_max ? total - columns_max : 0;
  std::vector<size_t> fitting = widths;
  for (const bool only_those_that_may : {true, false}) {
    for (size_t i = fitting.size(); i-- > 0 && too_much > 0;) {
      if (columns[i].align == Align::kRight) continue;
      if (only_those_that_may && !columns[i].may_shorten) continue;
      Cut(i == 0 ? kFirstMin : kShortenedMin, fitting[i], too_much);
    }
  }
  if (fitting.size() == 1) Cut(1, fitting[0], too_much);
  if (too_much > 0 && fitting.size() > 1) return false;
  widths = fitting;
  return true;
}

/// Lines of at most so many columns, broken at spaces where there are some.
std::vector<std::string> Lines(std::string_view text, size_t columns) {
  std::vector<std::string> lines;
  while (DisplayWidth(text) > columns) {
    // Longer by more than "…" takes, so that there is one to take off.
    std::string line = Shorten(std::string(text) + "  ", columns + 1);
    line.resize(line.size() - std::string_view("…").size());
    const size_t space = line.rfind(' ');
    if (space != std::string::npos && space > 0) line.resize(space);
    if (line.empty()) break;
    text.remove_prefix(line.size());
    while (text.starts_with(" ")) text.remove_prefix(1);
    lines.push_back(std::move(line));
  }
  lines.emplace_back(text);
  return lines;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  // Escaped here, so that a cell is as wide as it will be shown.
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::NaturalWidths() const {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i]));
    widths.push_back(width);
  }
  return widths;
}

void Table::Print(Output& out) const {
  const auto columns_max = static_cast<size_t>(out.columns());
  std::vector<size_t> widths = NaturalWidths();
  while (!Fit(columns_, columns_max, widths)) widths.pop_back();
  const auto print_row = [&](const std::vector<std::string>& cells, bool is_heading) {
    Shown line;
    for (size_t i = 0; i < widths.size(); ++i) {
      const bool last = i + 1 == columns_.size();
      const std::string cell = Shorten(cells[i], widths[i]);
      // Nothing is padded at the end of a line, so that no line wraps for its spaces.
      const size_t width = last && columns_[i].align == Align::kLeft ? 0 : widths[i];
      line += out.Paint(is_heading ? Colour::kDim : columns_[i].colour,
                        Padded(cell, width, columns_[i].align));
      if (!last) line += Shown::Line(std::string(kGap, ' '));
    }
    if (widths.size() < columns_.size()) line += out.Paint(Colour::kDim, kMore);
    out.Print("{}\n", line);
  };
  std::vector<std::string> headings;
  for (const Column& column : columns_) headings.push_back(column.heading);
  print_row(headings, true);
  for (const auto& row : rows_) print_row(row, false);
}

void FactList::Add(std::string name, std::string value) {
  facts_.emplace_back(std::move(name), std::move(value));
}

void FactList::Print(Output& out) const {
  size_t width = 0;
  for (const auto& [name, value] : facts_) width = std::max(width, DisplayWidth(name));
  const auto columns_max = static_cast<size_t>(out.columns());
  const size_t room = columns_max > width + kGap ? columns_max - width - kGap : columns_max;
  for (const auto& [name, value] : facts_) {
    std::string label = name;
    for (const std::string& line : Lines(Printable(value), room)) {
      out.Print("{}  {}\n", out.Paint(Colour::kDim, Padded(label, width, Align::kLeft)), line);
      label.clear();
    }
  }
}

}  // namespace statelib::cli
