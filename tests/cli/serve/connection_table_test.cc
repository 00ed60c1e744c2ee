// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/connection_table.h"

#include <gtest/gtest.h>

namespace statelib::cli {
namespace {

using Standing = ConnectionTable::Standing;

TEST(ConnectionTables, HaveRoomUpToTheirBound) {
  ConnectionTable table(2, 2);
  table.Add("a");
  const auto admission = table.Admit("b");
  EXPECT_TRUE(admission.admitted);
  EXPECT_EQ(admission.evicted, std::nullopt);
}

TEST(ConnectionTables, TheOldestWithoutAHeaderGoesAndNeverOneWithARequest) {
  ConnectionTable table(3, 3);
  const auto first = table.Add("a");
  const auto second = table.Add("b");
  const auto third = table.Add("c");
  EXPECT_EQ(table.Admit("d").evicted, first);
  table.Set(first, Standing::kBusy);
  EXPECT_EQ(table.Admit("d").evicted, second);
  table.Set(first, Standing::kStranger);  // its time begins anew
  EXPECT_EQ(table.Admit("d").evicted, second);
  table.Set(second, Standing::kBusy);
  table.Set(third, Standing::kBusy);
  table.Set(first, Standing::kBusy);
  EXPECT_FALSE(table.Admit("d").admitted);
  table.Remove(second);
  EXPECT_TRUE(table.Admit("d").admitted);
}

TEST(ConnectionTables, ThoseThatEndGoFirstThenStrangersThenTheKnown) {
  ConnectionTable table(3, 3);
  const auto known = table.Add("a");
  table.Set(known, Standing::kIdle);
  const auto stranger = table.Add("a");
  const auto ending = table.Add("a");
  table.Set(ending, Standing::kEnding);
  for (const auto wanted : {ending, stranger, known}) {
    EXPECT_EQ(table.Admit("b").evicted, wanted);
    table.Set(wanted, Standing::kBusy);
  }
}

TEST(ConnectionTables, AnAddressAtItsBoundPaysItself) {
  ConnectionTable table(100, 2);
  const auto other = table.Add("b");
  const auto first = table.Add("a");
  const auto second = table.Add("a");
  EXPECT_EQ(table.Admit("a").evicted, first);
  EXPECT_EQ(table.Admit("b").evicted, std::nullopt);
  table.Set(first, Standing::kBusy);
  table.Set(second, Standing::kBusy);
  EXPECT_FALSE(table.Admit("a").admitted);
  EXPECT_TRUE(table.Admit("b").admitted);
  table.Remove(first);
  EXPECT_TRUE(table.Admit("a").admitted);
  table.Remove(second);
  table.Remove(other);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace statelib::cli
