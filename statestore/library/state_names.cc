// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/state_names.h"

#include <filesystem>
#include <map>

#include "core/base/error.h"

namespace statelib::library {

namespace {

bool BelongsInNames(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '/';
}

std::string NamePart(const std::string& place) {
  const std::filesystem::path file(place);
  const std::string stem = (file.parent_path() / file.stem()).generic_string();
  std::string name;
  bool in_run = false;
  for (const char c : stem) {
    const bool belongs = BelongsInNames(c);
    if (belongs || !in_run) name += belongs ? c : '-';
    in_run = !belongs;
  }
  return name;
}

}  // namespace

std::vector<storage::Reference> NamesForFiles(const storage::Reference& prefix,
                                              std::span<const FileToName> files) {
  if (prefix.version) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: the names of several states begin with this; leave out '@{}'", prefix.Text(),
          *prefix.version);
  }
  std::vector<storage::Reference> names;
  std::map<std::string, std::string> taken;  // name -> file
  for (const FileToName& file : files) {
    const std::string name = prefix.name + "/" + NamePart(file.place);
    if (name.size() > storage::kNameBytesMax) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: the state's name '{}' would have {} characters, at most {} are possible; take a "
            "shorter prefix or begin in a folder further down",
            storage::Escaped(file.shown), name, name.size(), storage::kNameBytesMax);
    }
    const auto [place, fresh] = taken.emplace(name, file.shown);
    if (!fresh) {
      Throw(
          ErrorKind::kInvalidArgument,
          "{} and {} would both become the state '{}'; rename one, leave one out, or ingest it by "
          "itself",
          storage::Escaped(place->second), storage::Escaped(file.shown), name);
    }
    names.push_back({name, prefix.tag, {}});
  }
  return names;
}

}  // namespace statelib::library
