// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "statestore/library/load.h"
#include "statestore/library/reading.h"

namespace statelib::library {

namespace {

/// Reads one state to its end and saves it.
IngestResult ReadAndSave(const LoadedModel& model, Reading& reading, const CancelFlag* cancel) {
  try {
    const auto batch = model.runtime->MakeBatch();
    batch->Add(reading);
    do {
      if (cancel != nullptr) cancel->Check();
    } while (batch->Step());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled) throw;
    reading.Stop();
    if (reading.checkpoints() == 0)
      throw Error(ErrorKind::kCancelled, "stopped; what was there is unchanged");
    Throw(ErrorKind::kCancelled,
          "stopped after {} of {} tokens; run the same command again to go on from there",
          reading.tokens_done(), reading.tokens_total());
  }
  return reading.Save();
}

SaveRequest RequestOf(const storage::Reference& reference, storage::Operation operation,
                      const IngestOptions& options) {
  SaveRequest request;
  request.reference = reference;
  request.operation = operation;
  request.keep_tokens = options.keep_tokens;
  request.codec = options.codec;
  return request;
}

/// What is read of a document.
Digest MarkOf(const Document& document) {
  Hasher hasher;
  hasher.Update(HashOf(AsBytes(document.before)).bytes);
  hasher.Update(HashOfText(document.text).bytes);
  return hasher.Finish();
}

/// A job and its reading; the reading has views of the job.
struct Running {
  Running(size_t number_of_job, IngestJob of) : number(number_of_job), job(std::move(of)) {
    for (const Document& document : job.documents) {
      text_bytes += document.text.size();
      marks.push_back(MarkOf(document));
    }
  }
  /// With how many equal documents two jobs begin.
  size_t Common(const Running& other) const {
    const auto parting =
        std::mismatch(marks.begin(), marks.end(), other.marks.begin(), other.marks.end());
    return static_cast<size_t>(parting.first - marks.begin());
  }
  bool Leads(const Running& other) const {
    return std::pair(other.marks.size(), number) < std::pair(marks.size(), other.number);
  }

  size_t number = 0;
  IngestJob job;
  size_t text_bytes = 0;
  std::vector<Digest> marks;  // of the documents
  std::unique_ptr<Reading> reading;
  engine::Batch::Id id = 0;  // of the reading
};

/// The jobs of IngestBatch that are being read, and those that wait: one whose first documents
/// another one is reading goes on from the state after them as soon as that is stored.
class Table {
 public:
  Table(Library& library, const LoadedModel& model, const BatchOptions& how)
      : library_(library), model_(model), how_(how), batch_(model.runtime->MakeBatch()) {}

  /// Takes jobs while there are any and there is room, and begins those that need not wait.
  void Fill() {
    do {
      while (more_ && running_.size() + waiting_.size() < kBatchJobsMax &&
             text_bytes_ < kBatchTextBytesMax) {
        std::optional<IngestJob> job = how_.next();
        more_ = job.has_value();
        if (!more_) break;
        waiting_.push_back(std::make_unique<Running>(begun_++, std::move(*job)));
        text_bytes_ += waiting_.back()->text_bytes;
      }
      const size_t waited = waiting_.size();
      BeginSome();
      // No two jobs wait for each other for ever.
      if (running_.empty() && waited > 0 && waiting_.size() == waited) Begin(0);
    } while (running_.empty() && (more_ || !waiting_.empty()));
  }

  bool empty() const { return running_.empty(); }

  /// Reads on in all of them and saves those that are at their end.
  void Advance() {
    if (how_.cancel != nullptr) how_.cancel->Check();
    batch_->Step();
    if (how_.cancel != nullptr) how_.cancel->Check();
    for (size_t i = 0; i < running_.size();) {
      if (running_[i]->reading->finished())
        Finish(i);
      else
        ++i;
    }
  }

  [[noreturn]] void Stop() {
    for (const auto& running : running_) running->reading->Stop();
    Throw(ErrorKind::kCancelled,
          "stopped; {} finished and {} begun; run the same command again to go on from there",
          saved_ == 1 ? "1 state is" : std::to_string(saved_) + " states are", running_.size());
  }

 private:
  void BeginSome() {
    for (size_t i = 0; i < waiting_.size();) {
      if (HasToWait(*waiting_[i])) {
        ++i;
        continue;
      }
      Begin(i);
    }
  }

  /// Begins the reading of the waiting job at `i`, which waits no more.
  void Begin(size_t i) {
    std::unique_ptr<Running> one = std::move(waiting_[i]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    const bool begins = Try(one->number, [&] {
      one->reading = std::make_unique<Reading>(
          library_, model_, one->job.documents,
          RequestOf(one->job.reference, storage::Operation::kIngest, one->job.options),
          one->job.options);
    });
    if (begins) {
      one->id = batch_->Add(*one->reading);
      running_.push_back(std::move(one));
    } else {
      text_bytes_ -= one->text_bytes;
    }
  }

  /// Whether another job is going to store a state that this one can go on from. Of two that wait
  /// the one with more documents leads, for it leaves checkpoints behind the common ones, if it
  /// does.
  bool HasToWait(const Running& one) const {
    if (!one.job.options.reuse) return false;
    const auto comes_to_it = [&](const std::unique_ptr<Running>& other) {
      const size_t common = one.Common(*other);
      if (other.get() == &one || common == 0 || !LeavesState(*other, common)) return false;
      if (other->reading == nullptr) return other->Leads(one) || !LeavesState(one, common);
      return common == other->marks.size() ||
             other->reading->tokens_done() < other->reading->document_end(common - 1);
    };
    return std::any_of(running_.begin(), running_.end(), comes_to_it) ||
           std::any_of(waiting_.begin(), waiting_.end(), comes_to_it);
  }

  /// Whether the exact state after the first `count` documents of a job will be in the library.
  bool LeavesState(const Running& one, size_t count) const {
    const IngestOptions& options = one.job.options;
    if (count == one.marks.size()) return !storage::IsLossy(options.codec.codec);
    return options.checkpoint_stride_tokens > 0 && has_checkpoints_;
  }

  void Finish(size_t i) {
    batch_->Remove(running_[i]->id);
    std::optional<IngestResult> result;
    Try(running_[i]->number, [&] { result = running_[i]->reading->Save(); });
    const size_t number = running_[i]->number;
    text_bytes_ -= running_[i]->text_bytes;
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!result) return;
    ++saved_;
    if (how_.done) how_.done(number, *result);
  }

  /// Whether it went well. What is wrong with one job alone is told and does not stop the others.
  bool Try(size_t number, const std::function<void()>& work) const {
    try {
      work();
      return true;
    } catch (const Error& error) {
      const bool of_the_job =
          error.kind() == ErrorKind::kInvalidArgument || error.kind() == ErrorKind::kCorrupt ||
          error.kind() == ErrorKind::kUnsupported || error.kind() == ErrorKind::kMismatch;
      if (!of_the_job || !how_.failed) throw;
      how_.failed(number, error);
      return false;
    }
  }

  Library& library_;
  const LoadedModel& model_;
  const BatchOptions& how_;
  std::unique_ptr<engine::Batch> batch_;
  std::vector<std::unique_ptr<Running>> running_;
  std::vector<std::unique_ptr<Running>> waiting_;  // in the order of `next`
  const bool has_checkpoints_ =
      library_.repository().index().checkpoints().Usage().budget_bytes > 0;
  size_t text_bytes_ = 0;
  size_t begun_ = 0;
  size_t saved_ = 0;
  bool more_ = true;
};

}  // namespace

IngestResult Ingest(Library& library, const LoadedModel& model, std::span<const Document> documents,
                    const storage::Reference& reference, const IngestOptions& options) {
  Reading reading(library, model, documents,
                  RequestOf(reference, storage::Operation::kIngest, options), options);
  return ReadAndSave(model, reading, options.cancel);
}

IngestResult Append(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                    std::span<const Document> documents, const storage::Reference& reference,
                    const IngestOptions& options) {
  SaveRequest request = RequestOf(reference, storage::Operation::kAppend, options);
  request.parent = base;
  Reading reading(library, model, documents, std::move(request), options);
  return ReadAndSave(model, reading, options.cancel);
}

void IngestBatch(Library& library, const LoadedModel& model, const BatchOptions& how) {
  Table table(library, model, how);
  try {
    for (table.Fill(); !table.empty(); table.Fill()) table.Advance();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled) throw;
    table.Stop();
  }
}

}  // namespace statelib::library
