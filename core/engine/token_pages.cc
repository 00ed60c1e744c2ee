// SPDX-License-Identifier: Apache-2.0
#include "core/engine/token_pages.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "kernels/memory.h"

namespace statelib::engine {

using kernels::kPageTokens;

namespace {

/// Calls work(page number, rows) for each page that [begin, end) touches.
template <typename Work>
void ForEachPage(uint64_t begin, uint64_t end, const Work& work) {
  for (uint64_t at = begin; at < end;) {
    const uint64_t page = at / kPageTokens, next = std::min((page + 1) * kPageTokens, end);
    work(page, PageRows{at % kPageTokens, next - at, at - begin});
    at = next;
  }
}

}  // namespace

void TokenPages::PrepareWrite(uint64_t begin, uint64_t end) {
  if (pages_.empty()) first_ = begin / kPageTokens;
  ForEachPage(begin, end, [&](uint64_t page, const PageRows&) {
    const size_t index = page - first_;
    if (index == pages_.size()) {
      pages_.push_back(pool_->TakePage(group_));
    } else if (pages_[index].use_count() > 1) {
      PageRef own = pool_->TakePage(group_);
      pool_->backend().CopyBytes(pages_[index]->bytes(), own->bytes(), own->size_bytes());
      pages_[index] = std::move(own);
    }
  });
}

void TokenPages::DropBefore(uint64_t first_kept) {
  const uint64_t first_page = std::max<uint64_t>(first_kept / kPageTokens, first_);
  const size_t gone = std::min<uint64_t>(first_page - first_, pages_.size());
  pages_.erase(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(gone));
  first_ += gone;
}

void TokenPages::List(std::span<std::byte*> to) const {
  std::fill_n(to.begin(), first_, nullptr);
  for (size_t i = 0; i < pages_.size(); ++i) to[first_ + i] = pages_[i]->bytes();
}

size_t TokenPages::shared() const {
  return static_cast<size_t>(std::count_if(
      pages_.begin(), pages_.end(), [](const PageRef& page) { return page.use_count() > 1; }));
}

PagesUnderWay TokenPages::BeginRead(uint64_t begin, uint64_t end) const {
  kernels::Backend& backend = pool_->backend();
  PagesUnderWay under_way;
  ForEachPage(begin, end, [&](uint64_t number, const PageRows& rows) {
    const PageRef& page = pages_[number - first_];
    PagesUnderWay::Page one{page, rows, backend.HostAddress(page->bytes())};
    if (one.host == nullptr) {
      one.staged.resize(page->size_bytes());
      one.host = one.staged.data();
      one.transfer = backend.BeginDownload(page->bytes(), one.staged);
    }
    under_way.pages_.push_back(std::move(one));
  });
  return under_way;
}

void PagesUnderWay::Finish(
    const std::function<void(const std::byte* page, const PageRows& rows)>& visit) {
  for (Page& one : pages_) {
    if (one.transfer != nullptr) one.transfer->Wait();
    visit(one.host, one.rows);
  }
  pages_.clear();
}

void TokenPages::Fill(uint64_t begin, uint64_t end,
                      const std::function<void(std::byte* page, const PageRows& rows)>& visit) {
  PrepareWrite(begin, end);
  kernels::Backend& backend = pool_->backend();
  Bytes staged;
  ForEachPage(begin, end, [&](uint64_t number, const PageRows& rows) {
    kernels::Buffer& page = *pages_[number - first_];
    if (std::byte* const host = backend.HostAddress(page.bytes())) {
      visit(host, rows);
      return;
    }
    staged.assign(page.size_bytes(), std::byte{0});
    visit(staged.data(), rows);
    backend.UploadBytes(staged, page.bytes());
  });
}

}  // namespace statelib::engine
