// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_shape.h"

#include <map>
#include <string>
#include <utility>

#include "core/base/quoted.h"
#include "statestore/storage/index_schema.h"

namespace statelib::storage {

namespace {

/// Type and name of what a schema holds -> the statement that makes it.
using Shape = std::map<std::pair<std::string, std::string>, std::string>;

Shape ShapeOf(const Database& database) {
  // What begins with sqlite_ is SQLite's own.
  Statement statement = database.Prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  Shape shape;
  while (statement.Step()) shape[{statement.Text(0), statement.Text(1)}] = statement.Text(2);
  return shape;
}

const Shape& OurShape() {
  static const Shape ours = [] {
    Database database = Database::Open(":memory:", Database::Mode::kWrite);
    Migrate(database);
    return ShapeOf(database);
  }();
  return ours;
}

/// The tables in which FTS5 keeps an index are made by SQLite, in words of its version.
bool IsMadeByFts(const std::string& name) { return name.starts_with("passages_fts_"); }

std::string TextOf(const Shape::value_type& part) {
  return part.first.first + " " + Quoted(part.first.second);
}

}  // namespace

void CheckShape(const Database& database) {
  const Shape found = ShapeOf(database);
  for (const auto& part : OurShape()) {
    const auto place = found.find(part.first);
    if (place == found.end()) ThrowDamagedIndex(database.path(), "it has no " + TextOf(part));
    if (place->second != part.second && !IsMadeByFts(part.first.second))
      ThrowDamagedIndex(database.path(), "the " + TextOf(part) + " is another one");
  }
  for (const auto& part : found) {
    if (OurShape().contains(part.first)) continue;
    ThrowDamagedIndex(database.path(), "it has a " + TextOf(part) + " that statelib does not make");
  }
}

}  // namespace statelib::storage
