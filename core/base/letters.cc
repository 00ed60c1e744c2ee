// SPDX-License-Identifier: Apache-2.0
#include "core/base/letters.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

namespace statelib {

namespace {

const utf8proc_uint8_t* Units(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

CharacterKind KindOf(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharacterKind::kLetterOrDigit;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return CharacterKind::kMark;
    default:
      return CharacterKind::kOther;
  }
}

}  // namespace

Character FrontCharacter(std::string_view text) {
  utf8proc_int32_t code_point = -1;
  const utf8proc_ssize_t bytes =
      utf8proc_iterate(Units(text), static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  if (bytes <= 0) return {CharacterKind::kInvalid, 1};
  return {KindOf(utf8proc_category(code_point)), static_cast<size_t>(bytes)};
}

std::string Composed(std::string_view text) {
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t bytes =
      utf8proc_map(Units(text), static_cast<utf8proc_ssize_t>(text.size()), &result,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  if (bytes < 0) return std::string(text);
  return {reinterpret_cast<const char*>(result), static_cast<size_t>(bytes)};
}

}  // namespace statelib
