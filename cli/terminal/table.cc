// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/table.h"

#include <algorithm>
#include <utility>

#include "cli/terminal/printable.h"

namespace statelib::cli {

namespace {

constexpr size_t kGap = 2;
constexpr size_t kShortenedMin = 8;

std::string Padded(const std::string& text, size_t width, Align align) {
  const size_t used = DisplayWidth(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return align == Align::kRight ? space + text : text + space;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  // Escaped here, so that a cell is as wide as it will be shown.
  for (std::string& cell : cells) cell = Printable(cell, LineBreaks::kEscape);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::Widths(size_t columns_max) const {
  std::vector<size_t> widths;
  size_t total = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = DisplayWidth(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[i]));
    widths.push_back(width);
    total += width + kGap;
  }
  total -= kGap;
  for (size_t i = 0; i < columns_.size() && total > columns_max; ++i) {
    if (!columns_[i].may_shorten) continue;
    const size_t spare = widths[i] - std::min(widths[i], kShortenedMin);
    const size_t cut = std::min(spare, total - columns_max);
    widths[i] -= cut;
    total -= cut;
  }
  return widths;
}

void Table::Print(Output& out) const {
  const std::vector<size_t> widths = Widths(static_cast<size_t>(out.columns()));
  const auto print_row = [&](const std::vector<std::string>& cells, bool is_heading) {
    Shown line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const bool last = i + 1 == cells.size();
      const std::string cell = Shorten(cells[i], widths[i]);
      // Nothing is padded at the end of a line, so that no line wraps for its spaces.
      const size_t width = last && columns_[i].align == Align::kLeft ? 0 : widths[i];
      line += out.Paint(is_heading ? Colour::kDim : columns_[i].colour,
                        Padded(cell, width, columns_[i].align));
      if (!last) line += Shown::Line(std::string(kGap, ' '));
    }
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
  for (const auto& [name, value] : facts_)
    out.Print("{}  {}\n", out.Paint(Colour::kDim, Padded(name, width, Align::kLeft)), value);
}

}  // namespace statelib::cli
