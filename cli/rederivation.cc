// SPDX-License-Identifier: Apache-2.0
#include "cli/rederivation.h"

#include <algorithm>

#include "cli/facts.h"
#include "cli/terminal/quantities.h"

namespace statelib::cli {

namespace {

constexpr size_t kSegmentsShown = 5;

Json RederivationJson(const library::Rederivation& found) {
  Json json = {{"state", StateJson(found.state.state)},
               {"equal_bytes", found.equal_bytes},
               {"profile", found.profile},
               {"same_profile", found.same_profile},
               {"from_tokens", found.from_tokens},
               {"tokens_read", found.tokens_read},
               {"proved_on_the_way", found.proved_on_the_way},
               {"wrong_on_the_way", Json::array()},
               {"segments", Json::array()},
               {"seconds", found.seconds}};
  for (const storage::StateRow& row : found.wrong_on_the_way)
    json["wrong_on_the_way"].push_back(row.id.Hex());
  for (const library::SegmentDifference& segment : found.segments)
    json["segments"].push_back({{"segment", segment.spec.Label()},
                                {"equal_bytes", segment.equal_bytes},
                                {"cosine", segment.cosine},
                                {"relative_l2", segment.relative_l2},
                                {"largest_absolute", segment.largest_absolute}});
  return json;
}

}  // namespace

void PrintRederivation(const Context& context, const library::Rederivation& found) {
  if (context.options.json) return context.PrintJson(RederivationJson(found));
  if (context.options.quiet && found.equal_bytes) return;
  const std::string from = found.from_tokens == 0
                               ? "nothing"
                               : "the proved state of " + HumanCount(found.from_tokens, "token");
  context.out.Print("{}: {} read again from {} in {}, {}\n", NameOf(found.state),
                    HumanCount(found.tokens_read, "token"), from, HumanDuration(found.seconds),
                    found.equal_bytes ? "every byte is equal: proved under " + found.profile
                                      : "the bytes differ");
  if (found.proved_on_the_way > 0)
    context.out.Print("{} on the way proved too\n", HumanCount(found.proved_on_the_way, "state"));
  if (found.equal_bytes) return;
  if (!found.same_profile)
    context.out.Print(
        "it was made under {}, and read again under {}: the distance says how far "
        "apart the two are\n",
        found.state.state.profile, found.profile);
  for (size_t i = 0; i < std::min(kSegmentsShown, found.segments.size()); ++i) {
    const library::SegmentDifference& segment = found.segments[i];
    context.out.Print("  {}: relative distance {:.3g}, cosine {:.6f}, largest difference {:.3g}\n",
                      segment.spec.Label(), segment.relative_l2, segment.cosine,
                      segment.largest_absolute);
  }
}

}  // namespace statelib::cli
