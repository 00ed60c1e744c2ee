// SPDX-License-Identifier: Apache-2.0
#include "cli/passages.h"

#include <algorithm>

#include "cli/terminal/quantities.h"

namespace statelib::cli {

namespace {

/// The snippet as one line.
Shown Marked(const Context& context, const library::SearchResult& passage) {
  Shown line;
  size_t done = 0;
  const auto part = [&](size_t from, size_t to) {
    std::string text = passage.snippet.substr(from, to - from);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  };
  for (const auto& [from, to] : passage.matches) {
    const Shown match = Shown::Line(part(from, to));
    const Shown painted = context.out.Paint(Colour::kYellow, part(from, to));
    line +=
        Shown::Line(part(done, from)) + (painted == match ? Shown::Format("[{}]", match) : painted);
    done = to;
  }
  return line + Shown::Line(part(done, passage.snippet.size()));
}

}  // namespace

Json PassageJson(const library::SearchResult& passage) {
  Json states = Json::array();
  for (const storage::TextHolder& holder : passage.holders)
    states.push_back({{"name", holder.name},
                      {"tag", holder.tag},
                      {"version", holder.version},
                      {"id", holder.state.Hex()},
                      {"source", holder.source},
                      {"token", holder.first_token}});
  return {{"snippet", passage.snippet},
          {"matches", passage.matches},
          {"byte", passage.byte},
          {"rank", passage.rank},
          {"states", std::move(states)}};
}

void PrintPassage(const Context& context, const Shown& heading,
                  const library::SearchResult& passage) {
  const storage::TextHolder& first = passage.holders.front();
  context.out.Print("{}{}, byte {}, token {}\n", heading, first.source, HumanCount(passage.byte),
                    HumanCount(first.first_token));
  context.out.Print("    {}\n", Marked(context, passage));
}

}  // namespace statelib::cli
