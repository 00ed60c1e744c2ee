// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "core/base/error.h"
#include "statestore/library/transfer.h"

namespace statelib::library {

namespace {

constexpr int kAttempts = 50;

/// What one push sends: a manifest a version, and the objects of all of them, each once.
class Pusher {
 public:
  Pusher(Library& library, remote::Remote& remote, const PushOptions& options)
      : library_(library), remote_(remote), options_(options) {}

  PushReport Run(const std::vector<storage::ResolvedState>& states) {
    for (const storage::ResolvedState& state : states) Add(state);
    try {
      return SendAndPublish();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) throw;
      ThrowStopped(options_.dry_run ? 0 : report_.objects_sent + report_.objects_present);
    }
  }

 private:
  PushReport SendAndPublish() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      options_.control.Check();
      const std::vector<remote::Publication> publications = Plan(remote_.List());
      SendObjects();
      if (!options_.dry_run) NoteOwn();
      if (options_.dry_run || publications.empty() ||
          remote_.Publish(publications, library_.now_ms())) {
        return std::move(report_);
      }
      // Somebody else was faster. Those who wait as long meet again.
      std::random_device random;
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 50));
    }
    Throw(ErrorKind::kBusy,
          "{}: others have pushed to the same names {} times meanwhile; try again",
          remote_.location(), kAttempts);
  }

  struct Item {
    storage::Reference reference;
    uint64_t token_count = 0;
    storage::OutgoingManifest outgoing;
    bool there_before = false;
    storage::StateId stored_as{};  // here, with its tokens

    const storage::StateId& state() const { return outgoing.manifest().references.front().state; }
  };

  void Add(const storage::ResolvedState& state) {
    Item item{state.reference.value_or(storage::Reference{}), state.state.history.token_count(),
              storage::OutgoingManifest::Build(library_.repository(), std::span(&state, 1),
                                               options_.manifest)};
    item.stored_as = state.state.id;
    const bool twice = std::any_of(items_.begin(), items_.end(), [&](const Item& other) {
      return other.reference == item.reference;
    });
    if (!twice) items_.push_back(std::move(item));
  }

  /// Which versions the remote has not had, and what it has to hold for them to be added.
  std::vector<remote::Publication> Plan(const std::vector<storage::RemoteVersion>& there) {
    std::vector<remote::Publication> publications;
    report_.versions.clear();
    for (Item& item : items_) {
      const storage::Reference& reference = item.reference;
      item.there_before = remote::Has(there, reference.name, reference.tag, item.state());
      report_.versions.push_back({reference, item.state(), item.there_before});
      if (item.there_before) continue;
      remote::Publication publication{
          reference.name,
          reference.tag,
          item.state(),
          item.token_count,
          storage::EncodeManifest(item.outgoing.manifest(), options_.key),
          reference.version.value_or(0),
          Had(reference)};
      remote::CheckGoesOn(publication, remote::NewestOf(there, reference.name, reference.tag),
                          remote_.location());
      publications.push_back(std::move(publication));
    }
    return publications;
  }

  /// What the remote's newest version of a name may be: what the name has had here, and what is
  /// being sent. Empty: anything.
  std::optional<std::vector<storage::StateId>> Had(const storage::Reference& reference) const {
    if (options_.force) return std::nullopt;
    std::vector<storage::StateId> had;
    for (const storage::HadState& state :
         library_.repository().index().references().HadBy(reference.name, reference.tag))
      had.push_back(state.there);
    for (const Item& item : items_) {
      if (item.reference.name == reference.name && item.reference.tag == reference.tag)
        had.push_back(item.state());
    }
    return had;
  }

  /// Records under which ids states of this library travel, before others can see them there.
  void NoteOwn() {
    if (!library_.repository().writable()) return;
    library_.repository().index().Write([&] {
      for (const Item& item : items_) {
        if (item.state() == item.stored_as) continue;
        library_.repository().index().references().NoteHad(item.reference.name, item.reference.tag,
                                                           {item.state(), item.stored_as});
      }
    });
  }

  void SendObjects() {
    std::vector<remote::TransferObject> objects;
    std::map<storage::ObjectId, std::pair<const Item*, size_t>> places;
    for (const Item& item : items_) {
      if (item.there_before) continue;
      const auto& list = item.outgoing.manifest().objects;
      for (size_t i = 0; i < list.size(); ++i) {
        if (places.emplace(list[i].id, std::pair(&item, i)).second) objects.push_back(list[i]);
      }
    }
    const std::vector<bool> there = remote_.HasObjects(objects);
    uint64_t total = 0;
    for (size_t i = 0; i < objects.size(); ++i) total += there[i] ? 0 : objects[i].size_bytes;
    uint64_t done = 0;
    for (size_t i = 0; i < objects.size(); ++i) {
      options_.control.Check();
      if (there[i]) {
        if (sent_.insert(objects[i].id).second) ++report_.objects_present;
        continue;
      }
      const auto& [item, place] = places.at(objects[i].id);
      if (!options_.dry_run) remote_.PutObject(objects[i], *item->outgoing.OpenObject(place));
      options_.control.Report(done += objects[i].size_bytes, total);
      if (!sent_.insert(objects[i].id).second) continue;
      ++report_.objects_sent;
      report_.bytes_sent += objects[i].size_bytes;
    }
  }

  Library& library_;
  remote::Remote& remote_;
  const PushOptions& options_;
  PushReport report_;
  std::vector<Item> items_;
  std::set<storage::ObjectId> sent_;  // in an earlier attempt, too: each is counted once
};

}  // namespace

void ThrowStopped(uint64_t objects) {
  if (objects == 0) throw Error(ErrorKind::kCancelled, "stopped; what was there is unchanged");
  Throw(ErrorKind::kCancelled,
        "stopped; {} arrived; run the same command again to go on from there",
        objects == 1 ? "1 object has" : std::to_string(objects) + " objects have");
}

PushReport Push(Library& library, remote::Remote& remote, const Selection& selection,
                const PushOptions& options) {
  const storage::Lease lease = library.repository().ReadLease();
  const std::vector<storage::ResolvedState> states = ResolveAll(library, selection);
  if (states.empty()) Throw(ErrorKind::kInvalidArgument, "there is nothing to push");
  return Pusher(library, remote, options).Run(states);
}

}  // namespace statelib::library
