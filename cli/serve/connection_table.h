// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_CONNECTION_TABLE_H_
#define STATELIB_CLI_SERVE_CONNECTION_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace statelib::cli {

/// Who is connected, and who has to go when somebody else comes. At the bound of all connections,
/// and at that of those from one address, the one goes that has been without a request for longest;
/// first those that are ending anyway, then those that never had a request admitted, then those
/// between two requests. One thread.
class ConnectionTable {
 public:
  using Id = uint64_t;
  enum class Standing {
    kEnding,    ///< its last answer has been sent
    kStranger,  ///< no request of it was ever admitted
    kIdle,      ///< between two requests of which the first was admitted
    kBusy       ///< with a request that was admitted; never the one to go
  };
  struct Admission {
    bool admitted = false;
    std::optional<Id> evicted;  ///< to be closed and removed before the new one is added
  };

  ConnectionTable(size_t connections_max, size_t connections_per_address_max)
      : max_(connections_max), per_address_max_(connections_per_address_max) {}

  /// Whether one more from this address may come, and who has to go for it.
  Admission Admit(const std::string& address) const;
  /// Adds a stranger.
  Id Add(const std::string& address);
  /// The time that counts begins now.
  void Set(Id id, Standing standing);
  void Remove(Id id);
  size_t size() const { return entries_.size(); }

 private:
  /// By standing, then by how long it has been in it.
  using Order = std::set<std::pair<std::pair<Standing, uint64_t>, Id>>;
  struct Address {
    size_t count = 0;
    Order can_go;
  };
  struct Entry {
    std::string address;
    Standing standing;
    uint64_t since;
  };
  static std::optional<Id> First(const Order& order);
  void Enlist(Id id, const Entry& entry);
  void Delist(Id id, const Entry& entry);

  size_t max_;
  size_t per_address_max_;
  uint64_t moves_ = 0;
  Id last_ = 0;
  std::unordered_map<Id, Entry> entries_;
  std::map<std::string, Address> addresses_;
  Order can_go_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_CONNECTION_TABLE_H_
