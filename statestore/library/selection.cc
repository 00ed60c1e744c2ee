// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/selection.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::library {

bool IsPattern(std::string_view text) { return text.find_first_of("*?[") != text.npos; }

storage::ReferenceQuery QueryOf(const std::string& text) {
  storage::ReferenceQuery query;
  const size_t colon = text.find(':');
  query.name_pattern = text.substr(0, colon);
  if (colon != std::string::npos) query.tag = text.substr(colon + 1);
  return query;
}

std::vector<storage::Reference> Select(const Library& library,
                                       const std::vector<std::string>& texts, Tags tags) {
  std::vector<storage::Reference> selected;
  const auto add = [&selected](storage::Reference reference) {
    if (std::find(selected.begin(), selected.end(), reference) == selected.end())
      selected.push_back(std::move(reference));
  };
  for (const std::string& text : texts) {
    if (!IsPattern(text)) {
      add(storage::Reference::Parse(text));
      continue;
    }
    storage::ReferenceQuery query = QueryOf(text);
    if (!query.tag && tags == Tags::kLatest) query.tag = storage::Reference{}.tag;
    const auto rows = library.repository().index().references().List(query);
    if (rows.empty())
      Throw(ErrorKind::kNotFound,
            "no state has a name like {}; `statelib list` shows those there "
            "are",
            Escaped(text));
    for (const storage::ReferenceRow& row : rows) add({row.name, row.tag, {}});
  }
  return selected;
}

}  // namespace statelib::library
