// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/state_names.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/letters.h"
#include "core/base/printable.h"

namespace statelib::library {

namespace {

/// How much of a file goes into its name, until no other has the same.
enum Form { kStem, kWithExtension, kWithPlace, kWithPath, kForms };

constexpr size_t kSuffixDigits = 6;

bool BelongsInNames(std::string_view text, const Character& character) {
  return character.kind == CharacterKind::kLetterOrDigit ||
         character.kind == CharacterKind::kMark ||
         std::string_view("._-/").find(text[0]) != std::string_view::npos;
}

std::string AsName(const std::string& text) {
  std::string name;
  bool in_run = false;
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = FrontCharacter(rest);
    const bool belongs = BelongsInNames(rest, character);
    if (belongs || !in_run) name += belongs ? rest.substr(0, character.bytes) : "-";
    in_run = !belongs;
    rest.remove_prefix(character.bytes);
  }
  return Composed(name);
}

std::string NameIn(Form form, const FileToName& file) {
  const std::filesystem::path path(Composed(file.place));
  if (form == kStem) return AsName((path.parent_path() / path.stem()).generic_string());
  const std::string whole = AsName(path.generic_string());
  if (form == kWithExtension) return whole;
  const std::string& told_by = form == kWithPlace ? file.place : file.shown;
  return whole + "-" + HashOf(AsBytes(std::string_view(told_by))).Hex().substr(0, kSuffixDigits);
}

/// The forms that tell all files apart: as long as some have one name, those of the shortest form
/// among them take the next.
std::vector<std::string> TellApart(std::span<const FileToName> files) {
  std::vector<Form> forms(files.size(), kStem);
  std::vector<std::string> names;
  for (const FileToName& file : files) names.push_back(NameIn(kStem, file));
  while (true) {
    std::map<std::string_view, std::vector<size_t>> with_name;
    for (size_t i = 0; i < files.size(); ++i) with_name[names[i]].push_back(i);
    std::vector<size_t> longer;
    for (const auto& [name, same] : with_name) {
      if (same.size() == 1) continue;
      const Form shortest = forms[*std::min_element(
          same.begin(), same.end(), [&](size_t a, size_t b) { return forms[a] < forms[b]; })];
      if (shortest + 1 == kForms) {
        Throw(ErrorKind::kInvalidArgument, "{}: this file is there twice; leave one out",
              Escaped(files[same.front()].shown));
      }
      std::copy_if(same.begin(), same.end(), std::back_inserter(longer),
                   [&](size_t i) { return forms[i] == shortest; });
    }
    if (longer.empty()) return names;
    for (const size_t i : longer) {
      forms[i] = static_cast<Form>(forms[i] + 1);
      names[i] = NameIn(forms[i], files[i]);
    }
  }
}

}  // namespace

std::vector<storage::Reference> NamesForFiles(const storage::Reference& prefix,
                                              std::span<const FileToName> files) {
  if (prefix.version) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: the names of several states begin with this; leave out '@{}'", prefix.Text(),
          *prefix.version);
  }
  std::vector<std::string> names = TellApart(files);
  std::vector<storage::Reference> references;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string name = prefix.name + "/" + names[i];
    if (name.size() > storage::kNameBytesMax) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: the state's name '{}' would have {} bytes, at most {} are possible; take a "
            "shorter prefix or begin in a folder further down",
            Escaped(files[i].shown), name, name.size(), storage::kNameBytesMax);
    }
    references.push_back({name, prefix.tag, {}});
  }
  return references;
}

}  // namespace statelib::library
