// SPDX-License-Identifier: Apache-2.0
#include "kernels/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace statelib::kernels {

Profile Profile::Parse(std::string_view name) {
  Profile profile;
  profile.continued = name.ends_with('~');
  if (profile.continued) name.remove_suffix(1);
  size_t end = std::min(name.find('+'), name.size());
  profile.base = name.substr(0, end);
  while (end < name.size()) {
    const size_t begin = end + 1;
    end = std::min(name.find('+', begin), name.size());
    profile.marks.emplace_back(name.substr(begin, end - begin));
  }
  return profile;
}

std::string Profile::Name() const {
  std::string name = base;
  for (const std::string& mark : marks) name += "+" + mark;
  return continued ? name + "~" : name;
}

bool Profile::HasMark(std::string_view mark) const {
  return std::find(marks.begin(), marks.end(), mark) != marks.end();
}

std::string BaseProfile(std::string_view arithmetic, const ProfileRequest& request) {
  std::map<std::string_view, int> revisions;
  for (const Operation operation : request.operations) {
    const OperationInfo info = InfoOf(operation);
    if (info.family != nullptr) revisions[info.family] = info.revision;
  }
  std::string base(arithmetic);
  for (const auto& [family, revision] : revisions) base += fmt::format(".{}r{}", family, revision);
  if (request.keys_and_values != DType::kF32)
    base += fmt::format(".kv-{}", NameOf(request.keys_and_values));
  return base;
}

std::string HostProfile(const ProfileRequest& request) {
  switch (request.format) {
    case WeightFormat::kStored:
      return BaseProfile(request.has_blocks ? "blocks-r1" : "exact-f32-r1", request);
    case WeightFormat::kF32:
      return BaseProfile("exact-f32-r1", request);
    case WeightFormat::kBF16:
      return BaseProfile("bf16-r1", request);
    case WeightFormat::kInt8:
      return BaseProfile("int8-r1", request);
    case WeightFormat::kInt4:
      return BaseProfile("int4-r1", request);
  }
  return {};
}

}  // namespace statelib::kernels
