// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_shape.h"

#include <map>
#include <string>
#include <utility>

#include "core/base/printable.h"
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

/// Made anew, which takes milliseconds.
Shape OurShape() {
  Database database = Database::Open(":memory:", Database::Mode::kWrite);
  Migrate(database);
  return ShapeOf(database);
}

/// The tables in which FTS5 keeps an index are made by SQLite, in words of its version.
bool IsMadeByFts(const std::string& name) { return name.starts_with("passages_fts_"); }

std::string TextOf(const Shape::value_type& part) {
  return part.first.first + " " + Quoted(part.first.second);
}

Digest HashOf(const Shape& shape) {
  Hasher hasher;
  for (const auto& [part, sql] : shape) {
    hasher.UpdateField(part.first).UpdateField(part.second);
    if (!IsMadeByFts(part.second)) hasher.UpdateField(sql);
  }
  return hasher.Finish();
}

}  // namespace

Digest HashOfShape(const Database& database) { return HashOf(ShapeOf(database)); }

void CheckShape(const Database& database) {
  const Shape found = ShapeOf(database);
  if (HashOf(found).Hex() == kShapeHash) return;
  const Shape ours = OurShape();
  for (const auto& part : ours) {
    const auto place = found.find(part.first);
    if (place == found.end()) ThrowDamagedIndex(database.path(), "it has no " + TextOf(part));
    if (place->second != part.second && !IsMadeByFts(part.first.second))
      ThrowDamagedIndex(database.path(), "the " + TextOf(part) + " is another one");
  }
  for (const auto& part : found) {
    if (ours.contains(part.first)) continue;
    ThrowDamagedIndex(database.path(), "it has a " + TextOf(part) + " that statelib does not make");
  }
}

}  // namespace statelib::storage
