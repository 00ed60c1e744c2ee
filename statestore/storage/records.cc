// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/records.h"

#include "kernels/profile.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::storage {

using kernels::Profile;

namespace {

constexpr const char* kEditedMark = "edited";

}  // namespace

std::string ProfileAfter(const std::string& profile, Codec codec) {
  Profile after = Profile::Parse(profile);
  if (IsLossy(codec) && !after.HasMark(NameOf(codec))) after.marks.emplace_back(NameOf(codec));
  return after.Name();
}

std::string EditedProfile(const std::string& base_profile) {
  return Profile{base_profile, {kEditedMark}}.Name();
}

bool IsEdited(const std::string& profile) { return Profile::Parse(profile).HasMark(kEditedMark); }

std::string BaseProfileOf(const std::string& profile) { return Profile::Parse(profile).base; }

History EditedHistory(const Digest& content) {
  Hasher hasher;
  hasher.Update(AsBytes("statelib edited 1"));
  hasher.Update(content.bytes);
  return {0, hasher.Finish()};
}

const char* NameOf(Operation operation) {
  switch (operation) {
    case Operation::kIngest:
      return "ingest";
    case Operation::kAppend:
      return "append";
    case Operation::kGenerate:
      return "generate";
    case Operation::kImport:
      return "import";
    case Operation::kCopy:
      return "copy";
    case Operation::kRecode:
      return "recode";
    case Operation::kAt:
      return "at";
    case Operation::kEdit:
      return "edit";
  }
  return "?";
}

}  // namespace statelib::storage
