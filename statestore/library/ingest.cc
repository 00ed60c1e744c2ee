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
IngestResult ReadAndSave(Library& library, const LoadedModel& model,
                         std::span<const Document> documents, SaveRequest request,
                         const IngestOptions& options) {
  engine::BatchDriver driver(*model.runtime);
  Reading reading(library, model, driver, documents, std::move(request), options);
  try {
    do {
      if (!reading.is_ready()) driver.WaitForStep(kStepWait);
      reading.Report();
      if (options.cancel != nullptr) options.cancel->Check();
      reading.StoreNext();
    } while (!reading.is_finished());
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
};

/// The jobs of IngestBatch that are being read, by a driver beside this thread, and those that
/// wait: one whose first documents another one is reading goes on from the state after them as soon
/// as that is stored.
class Table {
 public:
  Table(Library& library, const LoadedModel& model, const BatchOptions& how)
      : library_(library), model_(model), how_(how), driver_(*model.runtime) {}

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

  /// Stores of each a checkpoint that waits, or its end; waits for some if there is none.
  void Advance() {
    const auto is_ready = [](const auto& one) { return one->reading->is_ready(); };
    if (std::none_of(running_.begin(), running_.end(), is_ready)) driver_.WaitForStep(kStepWait);
    driver_.Check();
    for (const auto& one : running_) one->reading->Report();
    for (size_t i = 0; i < running_.size();) {
      if (how_.cancel != nullptr) how_.cancel->Check();
      if (!Serve(i)) ++i;
    }
  }

  [[noreturn]] void Stop() {
    for (const auto& running : running_) running->reading->Leave();
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
          library_, model_, driver_, one->job.documents,
          RequestOf(one->job.reference, storage::Operation::kIngest, one->job.options),
          one->job.options);
    });
    if (begins)
      running_.push_back(std::move(one));
    else
      text_bytes_ -= one->text_bytes;
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
             other->reading->tokens_stored() < other->reading->document_end(common - 1);
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

  /// Stores what the job at `i` has for it; whether that was its end, so that it is gone.
  bool Serve(size_t i) {
    Reading& reading = *running_[i]->reading;
    const size_t number = running_[i]->number;
    std::optional<IngestResult> result;
    const bool went_well = Try(number, [&] {
      if (reading.is_finished())
        result = reading.Save();
      else
        reading.StoreNext();
    });
    if (went_well && !result) return false;
    text_bytes_ -= running_[i]->text_bytes;
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!result) return true;
    ++saved_;
    if (how_.done) how_.done(number, *result);
    return true;
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
  engine::BatchDriver driver_;  // outlives the readings
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
  return ReadAndSave(library, model, documents,
                     RequestOf(reference, storage::Operation::kIngest, options), options);
}

IngestResult Append(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                    std::span<const Document> documents, const storage::Reference& reference,
                    const IngestOptions& options) {
  SaveRequest request = RequestOf(reference, storage::Operation::kAppend, options);
  request.parent = base;
  return ReadAndSave(library, model, documents, std::move(request), options);
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
