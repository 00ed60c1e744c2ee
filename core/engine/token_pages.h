// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_TOKEN_PAGES_H_
#define STATELIB_CORE_ENGINE_TOKEN_PAGES_H_

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/engine/state_pool.h"

namespace statelib::engine {

/// The part of a range of positions that one page holds: `count` rows of it from `row` on, which
/// are those from `done` on of the range.
struct PageRows {
  size_t row;
  size_t count;
  size_t done;
};

/// Pages on their way to the host, which it shares with those that have them.
class PagesUnderWay {
 public:
  /// Calls visit(page, rows) for each, in order, as soon as it is there. Errors: DeviceError.
  void Finish(const std::function<void(const std::byte* page, const PageRows& rows)>& visit);

 private:
  friend class TokenPages;

  struct Page {
    PageRef page;
    PageRows rows;
    const std::byte* host;  // where it lies or is going to
    Bytes staged = {};
    std::unique_ptr<kernels::Transfer> transfer = nullptr;  // null: it was there
  };
  std::vector<Page> pages_;
};

/// The pages of one group of one state: keys and values of the tokens that the group still reaches.
/// Copies share pages; what is about to be written is made the state's own first. One thread at a
/// time.
class TokenPages {
 public:
  /// The pool outlives it.
  TokenPages(StatePool& pool, size_t group) : pool_(&pool), group_(group) {}

  /// Makes positions [begin, end) writable, `begin` being how many tokens the state has read:
  /// pages that are new, or of this state alone. Errors: std::bad_alloc, after which no position
  /// before `begin` has changed.
  void PrepareWrite(uint64_t begin, uint64_t end);
  /// Lets go of the pages that hold nothing from `first_kept` on.
  void DropBefore(uint64_t first_kept);

  /// One more than the number of the last page.
  size_t count() const { return first_ + pages_.size(); }
  /// Pages 0 to count() - 1 in the backend's memory, those that were let go as null.
  void List(std::span<std::byte*> to) const;
  /// How many pages it shares with other states.
  size_t shared() const;

  /// Begins to bring positions [begin, end), all of which it holds, to the host: one transfer a
  /// page where the backend's memory is elsewhere. What is written later does not show.
  PagesUnderWay BeginRead(uint64_t begin, uint64_t end) const;
  /// Calls visit(page, rows) for each page of [begin, end), to be filled in host memory; for one
  /// that holds nothing yet.
  void Fill(uint64_t begin, uint64_t end,
            const std::function<void(std::byte* page, const PageRows& rows)>& visit);

 private:
  StatePool* pool_;
  size_t group_;
  size_t first_ = 0;  // the number of pages_.front()
  std::vector<PageRef> pages_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_TOKEN_PAGES_H_
