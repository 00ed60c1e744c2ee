// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/records.h"

#include "statestore/storage/segment_codec.h"

namespace statelib::storage {

std::string ProfileAfter(const std::string& profile, Codec codec) {
  const std::string mark = std::string("+") + NameOf(codec);
  const bool marked = (profile + "+").find(mark + "+") != std::string::npos;
  return !IsLossy(codec) || marked ? profile : profile + mark;
}

std::string BaseProfileOf(const std::string& profile) {
  return profile.substr(0, profile.find('+'));
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
  }
  return "?";
}

}  // namespace statelib::storage
