// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/connection_table.h"

namespace statelib::cli {

std::optional<ConnectionTable::Id> ConnectionTable::First(const Order& order) {
  if (order.empty()) return std::nullopt;
  return order.begin()->second;
}

ConnectionTable::Admission ConnectionTable::Admit(const std::string& address) const {
  const auto place = addresses_.find(address);
  if (place != addresses_.end() && place->second.count >= per_address_max_) {
    const auto first = First(place->second.can_go);
    return {first.has_value(), first};
  }
  if (entries_.size() < max_) return {true, std::nullopt};
  const auto first = First(can_go_);
  return {first.has_value(), first};
}

ConnectionTable::Id ConnectionTable::Add(const std::string& address) {
  const Id id = ++last_;
  const Entry& entry = entries_[id] = {address, Standing::kStranger, ++moves_};
  ++addresses_[address].count;
  Enlist(id, entry);
  return id;
}

void ConnectionTable::Set(Id id, Standing standing) {
  const auto place = entries_.find(id);
  if (place == entries_.end()) return;
  Delist(id, place->second);
  place->second.standing = standing;
  place->second.since = ++moves_;
  Enlist(id, place->second);
}

void ConnectionTable::Remove(Id id) {
  const auto place = entries_.find(id);
  if (place == entries_.end()) return;
  Delist(id, place->second);
  const auto address = addresses_.find(place->second.address);
  if (--address->second.count == 0) addresses_.erase(address);
  entries_.erase(place);
}

void ConnectionTable::Enlist(Id id, const Entry& entry) {
  if (entry.standing == Standing::kBusy) return;
  can_go_.insert({{entry.standing, entry.since}, id});
  addresses_[entry.address].can_go.insert({{entry.standing, entry.since}, id});
}

void ConnectionTable::Delist(Id id, const Entry& entry) {
  can_go_.erase({{entry.standing, entry.since}, id});
  addresses_[entry.address].can_go.erase({{entry.standing, entry.since}, id});
}

}  // namespace statelib::cli
