// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/records.h"

#include "statestore/storage/segment_codec.h"

namespace statelib::storage {

namespace {

constexpr const char* kEditedMark = "+edited";

}  // namespace

std::string ProfileAfter(const std::string& profile, Codec codec) {
  const std::string mark = std::string("+") + NameOf(codec);
  const bool marked = (profile + "+").find(mark + "+") != std::string::npos;
  return !IsLossy(codec) || marked ? profile : profile + mark;
}

std::string EditedProfile(const std::string& base_profile) { return base_profile + kEditedMark; }

bool IsEdited(const std::string& profile) {
  return (profile + "+").find(std::string(kEditedMark) + "+") != std::string::npos;
}

std::string BaseProfileOf(const std::string& profile) {
  return profile.substr(0, profile.find('+'));
}

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
