// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/document_template.h"

#include <filesystem>

#include "core/base/error.h"

namespace statelib::documents {

std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const std::string_view shown = text.substr(i, 20);
    const char next = ++i < text.size() ? text[i] : ' ';
    if (next != 'n' && next != 't' && next != '\\')
      Throw(ErrorKind::kInvalidArgument,
            "\"{}\": a backslash stands before n (line feed), t (tab) or another backslash; write "
            "\\\\ for one",
            shown);
    out += next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
  }
  return out;
}

std::string Typed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\t' || c == '\\') {
      out += '\\';
      out += c == '\n' ? 'n' : c == '\t' ? 't' : '\\';
    } else {
      out += c;
    }
  }
  return out;
}

std::string Before(const DocumentTemplate& how, const std::string& path, bool is_first) {
  std::string out = is_first ? "" : how.separator;
  const std::string& heading = how.heading;
  const std::filesystem::path file(path);
  for (size_t i = 0; i < heading.size(); ++i) {
    if (heading[i] != '{') {
      out += heading[i];
      continue;
    }
    if (heading.compare(i, 2, "{{") == 0) {
      out += '{';
      ++i;
      continue;
    }
    const size_t end = std::min(heading.find('}', i), heading.size());
    const std::string field = heading.substr(i + 1, end - i);  // with its closing brace
    if (field == "path}")
      out += path;
    else if (field == "name}")
      out += file.filename().string();
    else if (field == "stem}")
      out += file.stem().string();
    else
      Throw(
          ErrorKind::kInvalidArgument,
          "\"{}\": a heading has the fields {{path}}, {{name}} and {{stem}}, not \"{{{}\"; {{{{ is "
          "a brace",
          heading, field);
    i = end;
  }
  return out;
}

}  // namespace statelib::documents
