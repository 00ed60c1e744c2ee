// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/diff.h"

#include <algorithm>
#include <cmath>

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/bar.h"
#include "cli/terminal/display_width.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr size_t kRowsShown = 10;
constexpr size_t kBarColumns = 20;

// JSON has no infinity.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

class DiffCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("A", &a_, "A state", {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Argument("B", &b_, "Another state",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Flag("--all", all_, "Show every segment");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib diff handbook minutes\n"
        "  statelib diff handbook@1 handbook --all\n"
        "  statelib diff handbook:draft handbook --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::ResolvedState a = library.Resolve(a_);
    const storage::ResolvedState b = library.Resolve(b_);
    const auto tokenizer_a = TokenizerOf(context, library, a),
               tokenizer_b = TokenizerOf(context, library, b);
    const library::StateDifference difference =
        library::Diff(library, a, b, tokenizer_a.get(), tokenizer_b.get());
    if (context.options.json) return PrintAsJson(context, difference);
    if (context.options.quiet)
      return context.PrintName(difference.equal_content ? "equal" : "different");
    PrintStates(context, difference);
    PrintHistory(context, difference);
    PrintSegments(context, difference);
  }

 private:
  // Where the model is not on this machine, text is left out.
  static std::unique_ptr<tokenizer::Tokenizer> TokenizerOf(const Context& context,
                                                           const library::Library& library,
                                                           const storage::ResolvedState& state) {
    try {
      return OpenTokenizer(ChooseModel(context, &library, {}, &state));
    } catch (const Error&) {
      return nullptr;
    }
  }

  static void PrintStates(Context& context, const library::StateDifference& difference) {
    Table table(
        {{""}, {"NAME", Align::kLeft, false, Colour::kBold}, {"ID"}, {"TOKENS", Align::kRight}});
    table.Add({"a", NameOf(difference.a), difference.a.state.id.ShortHex(),
               HumanCount(difference.history.tokens_a)});
    table.Add({"b", NameOf(difference.b), difference.b.state.id.ShortHex(),
               HumanCount(difference.history.tokens_b)});
    table.Print(context.out);
    if (!difference.same_model)
      context.out.Write(
          "\nThey belong to different models, so only their histories are compared.\n");
    else if (!difference.same_profile)
      context.out.Print("\nThey were computed under different numerics profiles: {} and {}.\n",
                        difference.a.state.profile, difference.b.state.profile);
  }

  static void PrintHistory(Context& context, const library::StateDifference& difference) {
    const library::HistoryDifference& history = difference.history;
    if (history.equal && history.common_bytes) {
      context.out.Print("\nBoth have read the same text of {}: {} of a, {} of b.\n",
                        HumanBytes(*history.common_bytes), HumanCount(history.tokens_a, "token"),
                        HumanCount(history.tokens_b, "token"));
      return;
    }
    if (history.equal) {
      context.out.Print("\nBoth have read the same {}{}.\n", HumanCount(history.tokens_a, "token"),
                        difference.equal_content ? ", and every byte of them is equal" : "");
      return;
    }
    if (history.common_bytes) {
      context.out.Print("\nTheir texts have the first {} in common.\n",
                        HumanCount(*history.common_bytes, "byte"));
      return PrintTexts(context, history);
    }
    if (!history.common_tokens) {
      context.out.Write(history.tokens_kept
                            ? "\nTheir tokens are of two models, and a tokenizer is not here to "
                              "compare them as text.\n"
                            : "\nTheir histories differ; where cannot be said, since tokens were "
                              "not kept.\n");
      return;
    }
    const uint64_t common = *history.common_tokens;
    const auto rest = [common](uint64_t tokens) {
      return tokens == common ? "ends there"
                              : "goes on with " + HumanCount(tokens - common, "token");
    };
    context.out.Print("\nThey have their first {} in common; a {}, b {}.\n",
                      HumanCount(common, "token"), rest(history.tokens_a), rest(history.tokens_b));
    PrintTexts(context, history);
  }

  static void PrintTexts(Context& context, const library::HistoryDifference& history) {
    const auto quoted = [&context](const char* label, const std::string& text, Colour colour) {
      if (text.empty()) return;
      const size_t width = static_cast<size_t>(std::clamp(context.out.columns() - 10, 20, 100));
      context.out.Print("  {}  {}\n", label,
                        context.out.Paint(colour, Shorten(Printable(text), width)));
    };
    quoted("both", history.before_text, Colour::kDim);
    quoted("a   ", history.after_text_a, Colour::kRed);
    quoted("b   ", history.after_text_b, Colour::kGreen);
  }

  void PrintSegments(Context& context, const library::StateDifference& difference) const {
    if (difference.segments.empty() || difference.equal_content) return;
    context.out.Write("\n");
    double largest = 0;
    for (const library::SegmentDifference& segment : difference.segments)
      if (std::isfinite(segment.relative_l2)) largest = std::max(largest, segment.relative_l2);
    const bool bars = context.out.is_terminal();
    std::vector<Table::Column> columns = {{"LAYER", Align::kRight},
                                          {"KIND"},
                                          {"COSINE", Align::kRight},
                                          {"RELATIVE L2", Align::kRight},
                                          {"LARGEST", Align::kRight}};
    if (bars) columns.push_back({"", Align::kLeft, false, Colour::kCyan});
    Table table(std::move(columns));
    const size_t shown =
        all_ ? difference.segments.size() : std::min(difference.segments.size(), kRowsShown);
    for (size_t i = 0; i < shown; ++i) {
      const library::SegmentDifference& segment = difference.segments[i];
      std::vector<std::string> cells = {
          segment.spec.layer < 0 ? "-" : std::to_string(segment.spec.layer),
          statelib::NameOf(segment.spec.kind), fmt::format("{:.4f}", segment.cosine),
          fmt::format("{:.4f}", segment.relative_l2),
          fmt::format("{:.3g}", segment.largest_absolute)};
      if (bars) cells.push_back(Bar(largest > 0 ? segment.relative_l2 / largest : 0, kBarColumns));
      table.Add(std::move(cells));
    }
    table.Print(context.out);
    if (shown < difference.segments.size())
      context.out.Print("and {} that differ less; --all shows them\n",
                        difference.segments.size() - shown);
  }

  static Json SideJson(const storage::ResolvedState& state) {
    Json json = StateJson(state.state);
    if (state.reference) json["reference"] = ReferenceJson(*state.reference);
    return json;
  }

  static void PrintAsJson(Context& context, const library::StateDifference& difference) {
    const library::HistoryDifference& history = difference.history;
    Json json;
    json["a"] = SideJson(difference.a);
    json["b"] = SideJson(difference.b);
    json["same_model"] = difference.same_model;
    json["same_profile"] = difference.same_profile;
    json["equal_content"] = difference.equal_content;
    json["history"] = {
        {"equal", history.equal},
        {"common_tokens", history.common_tokens ? Json(*history.common_tokens) : Json(nullptr)},
        {"common_bytes", history.common_bytes ? Json(*history.common_bytes) : Json(nullptr)},
        {"before", history.before},
        {"after_a", history.after_a},
        {"after_b", history.after_b},
        {"before_text", history.before_text},
        {"after_text_a", history.after_text_a},
        {"after_text_b", history.after_text_b}};
    json["segments"] = Json::array();
    for (const library::SegmentDifference& segment : difference.segments)
      json["segments"].push_back({{"layer", segment.spec.layer},
                                  {"kind", statelib::NameOf(segment.spec.kind)},
                                  {"equal_bytes", segment.equal_bytes},
                                  {"cosine", Number(segment.cosine)},
                                  {"relative_l2", Number(segment.relative_l2)},
                                  {"largest_absolute", Number(segment.largest_absolute)}});
    context.PrintJson(json);
  }

  std::string a_;
  std::string b_;
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDiffCommand() { return std::make_unique<DiffCommand>(); }

}  // namespace statelib::cli
