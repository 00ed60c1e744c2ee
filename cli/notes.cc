// SPDX-License-Identifier: Apache-2.0
#include "cli/notes.h"

#include <utility>

namespace statelib::cli {

void Notes::Add(Kind kind, std::string_view text) {
  if (leaves_out_harmless_ && (kind == Kind::kPlain || kind == Kind::kNote)) return;
  if (keeps_) {
    kept_.push_back((kind == Kind::kWarning ? "warning: " : "") + std::string(text));
    return;
  }
  switch (kind) {
    case Kind::kPlain:
      err_.Print("{}\n", text);
      break;
    case Kind::kNote:
      err_.Print("statelib: note: {}\n", text);
      break;
    case Kind::kWarning:
      err_.Print("statelib: warning: {}\n", text);
      break;
    case Kind::kDetail:
      err_.Print("{}\n", err_.Paint(Colour::kDim, text));
      break;
  }
  err_.Flush();
}

std::vector<std::string> Notes::Take() { return std::exchange(kept_, {}); }

}  // namespace statelib::cli
