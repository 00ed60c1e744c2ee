// SPDX-License-Identifier: Apache-2.0
#include "cli/state_batch.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "cli/documents.h"
#include "cli/facts.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "statestore/library/up_to_date.h"

namespace statelib::cli {

namespace {

/// How much of a batch is done, in bytes of its files: how many tokens those are is not known
/// before they have been opened.
class BatchProgress {
 public:
  BatchProgress(const Context& context, const std::vector<PlannedState>& states)
      : bar_(context.err, "reading " + HumanCount(states.size(), "state"), "byte") {
    for (const PlannedState& state : states) {
      uint64_t bytes = 0;
      for (const FileToRead& file : state.files) {
        std::error_code error;
        const uintmax_t size = std::filesystem::file_size(file.path, error);
        if (!error) bytes += size;
      }
      bytes_.push_back(bytes);
    }
    done_.resize(bytes_.size());
    total_ = std::accumulate(bytes_.begin(), bytes_.end(), uint64_t{0});
  }

  void Update(size_t state, uint64_t done, uint64_t total) {
    const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
    const auto bytes = static_cast<uint64_t>(part * static_cast<double>(bytes_[state]));
    sum_ += bytes - done_[state];
    done_[state] = bytes;
    bar_.Update(sum_, total_);
  }
  void Hide() { bar_.Hide(); }

 private:
  ProgressBar bar_;
  std::vector<uint64_t> bytes_;  // of each state's files
  std::vector<uint64_t> done_;
  uint64_t total_ = 0;
  uint64_t sum_ = 0;
};

/// Collects outcomes and tells them.
class Outcomes {
 public:
  Outcomes(const std::function<void(const StateOutcome&)>& on_outcome) : on_outcome_(on_outcome) {}

  void Add(StateOutcome outcome) {
    on_outcome_(outcome);
    report_.outcomes.push_back(std::move(outcome));
  }
  void Fail(size_t planned, const Error& error) {
    if (!report_.first_failure) report_.first_failure = error.kind();
    Add({planned, StateOutcome::Kind::kFailed, {}, {}, error.what()});
  }
  BatchReport Take() { return std::move(report_); }

 private:
  const std::function<void(const StateOutcome&)>& on_outcome_;
  BatchReport report_;
};

std::optional<storage::ResolvedState> UpToDate(const library::Library& library,
                                               ModelWhenNeeded& model, const DocumentReader& reader,
                                               const PlannedState& state) {
  std::vector<library::NamedSource> sources;
  for (const FileToRead& file : state.files) {
    try {
      sources.push_back({file.name, reader.Identify(file)});
    } catch (const Error& error) {
      // It may be readable again: then the state is another one.
      if (!file.found || error.kind() == ErrorKind::kCancelled) throw;
    }
  }
  return library::FindUpToDate(library, model.Key(), state.reference, sources, state.options);
}

bool IsThere(const library::Library& library, const storage::Reference& reference) {
  return library.repository().index().references().Find(reference.name, reference.tag).has_value();
}

documents::DocumentTemplate TemplateOf(const PlannedState& state) {
  return {state.options.text_template.separator, state.options.text_template.heading};
}

/// Makes the states of one batch.
class Batch {
 public:
  Batch(const Context& context, library::Library& library, ModelWhenNeeded& model,
        const std::vector<PlannedState>& states,
        const std::function<void(const StateOutcome&)>& on_outcome)
      : context_(context),
        library_(library),
        model_(model),
        states_(states),
        progress_(context, states),
        outcomes_(on_outcome) {}

  BatchReport Run() {
    if (std::optional<library::IngestJob> first = Next()) Read(std::move(first));
    BatchReport report = outcomes_.Take();
    report.seconds = seconds_;
    return report;
  }

 private:
  struct Begun {
    size_t state = 0;
    bool was_there = false;
    std::vector<Unread> unread;
  };

  /// Reads the first state that is not up to date and all that follow.
  void Read(std::optional<library::IngestJob> first) {
    library::BatchOptions how;
    how.next = [&] { return first ? std::exchange(first, std::nullopt) : Next(); };
    how.done = [this](size_t job, const library::IngestResult& result) {
      progress_.Hide();
      outcomes_.Add(
          {begun_[job].state,
           begun_[job].was_there ? StateOutcome::Kind::kRebuilt : StateOutcome::Kind::kBuilt,
           result,
           {},
           {},
           begun_[job].unread});
      progress_.Update(begun_[job].state, 1, 1);
    };
    how.failed = [this](size_t job, const Error& error) {
      progress_.Hide();
      outcomes_.Fail(begun_[job].state, error);
    };
    how.cancel = &context_.cancel;
    progress_.Hide();  // loading has one of its own
    const library::LoadedModel& model = model_.Get();
    const auto start = std::chrono::steady_clock::now();
    library::IngestBatch(library_, model, how);
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  /// The next state that is not up to date, as a job.
  std::optional<library::IngestJob> Next() {
    for (; next_ < states_.size();) {
      context_.cancel.Check();
      const size_t state = next_++;
      const bool was_there = IsThere(library_, states_[state].reference);
      if (was_there) model_.Key();  // a model that is missing is no failure of one state
      try {
        std::optional<library::IngestJob> job = JobOf(state, was_there);
        if (job) return job;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::kCancelled) throw;
        progress_.Hide();
        outcomes_.Fail(state, error);
      }
    }
    return std::nullopt;
  }

  /// Files whose state is not there are opened once, to be read.
  std::optional<library::IngestJob> JobOf(size_t number, bool was_there) {
    const PlannedState& state = states_[number];
    DocumentReader reader(context_, TemplateOf(state));
    progress_.Hide();  // the reader may have something to say
    if (auto found = was_there ? UpToDate(library_, model_, reader, state) : std::nullopt) {
      outcomes_.Add({number, StateOutcome::Kind::kUnchanged, {}, std::move(found), {}});
      progress_.Update(number, 1, 1);
      return std::nullopt;
    }
    std::vector<Unread> unread;
    library::IngestJob job{state.reference, ReadFiles(reader, state.files, &unread), state.options};
    if (job.documents.empty()) {
      outcomes_.Add({number, StateOutcome::Kind::kSkipped, {}, {}, {}});
      return std::nullopt;
    }
    begun_.push_back({number, was_there, std::move(unread)});
    job.options.on_progress = [this, number](uint64_t done, uint64_t total) {
      if (done < total) progress_.Update(number, done, total);
    };
    return job;
  }

  const Context& context_;
  library::Library& library_;
  ModelWhenNeeded& model_;
  const std::vector<PlannedState>& states_;
  BatchProgress progress_;
  Outcomes outcomes_;
  std::vector<Begun> begun_;  // by job
  size_t next_ = 0;
  double seconds_ = 0;  // of reading
};

}  // namespace

const char* NameOf(StateOutcome::Kind kind) {
  switch (kind) {
    case StateOutcome::Kind::kBuilt:
      return "built";
    case StateOutcome::Kind::kRebuilt:
      return "rebuilt";
    case StateOutcome::Kind::kUnchanged:
      return "unchanged";
    case StateOutcome::Kind::kSkipped:
      return "skipped";
    case StateOutcome::Kind::kFailed:
      return "failed";
  }
  return "?";
}

Shown OutcomeText(const Context& context, const PlannedState& planned,
                  const StateOutcome& outcome) {
  // Side by side, the time that one took says nothing.
  if (outcome.result) return ReadingText(context, *outcome.result, false);
  const std::string name = outcome.state ? NameOf(*outcome.state) : planned.reference.Text();
  const std::string what = outcome.error.empty() ? "" : ": " + outcome.error;
  return Shown::Format("{}: {}{}\n", context.out.Paint(Colour::kBold, name), NameOf(outcome.kind),
                       outcome.kind == StateOutcome::Kind::kSkipped ? ": no text" : what);
}

void TellOutcome(const Context& context, const PlannedState& planned, const StateOutcome& outcome) {
  const Shown text = OutcomeText(context, planned, outcome);
  std::string name;
  if (outcome.result) name = outcome.result->saved.reference.Text();
  if (outcome.state) name = NameOf(*outcome.state);
  const bool failed = outcome.kind == StateOutcome::Kind::kFailed;
  if (failed && context.options.quiet)
    context.warnings.Write(text);
  else
    context.Tell(text, name);
  context.out.Flush();
}

Json OutcomeJson(const PlannedState& planned, const StateOutcome& outcome) {
  Json json = {{"action", NameOf(outcome.kind)}};
  if (outcome.result) {
    json.update(ReadingJson(*outcome.result));
    json["unread"] = UnreadJson(outcome.unread);
    return json;
  }
  json["reference"] = ReferenceJson(outcome.state ? *outcome.state->reference : planned.reference);
  if (outcome.state) json["state"] = StateJson(outcome.state->state);
  if (!outcome.error.empty()) json["error"] = outcome.error;
  return json;
}

std::string SummaryText(const BatchReport& report) {
  std::string kinds;
  for (const auto kind :
       {StateOutcome::Kind::kBuilt, StateOutcome::Kind::kRebuilt, StateOutcome::Kind::kUnchanged,
        StateOutcome::Kind::kSkipped, StateOutcome::Kind::kFailed}) {
    const auto count =
        std::count_if(report.outcomes.begin(), report.outcomes.end(),
                      [&](const StateOutcome& outcome) { return outcome.kind == kind; });
    if (count > 0) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, NameOf(kind));
  }
  uint64_t tokens = 0;
  for (const StateOutcome& outcome : report.outcomes)
    if (outcome.result) tokens += outcome.result->tokens_read;
  std::string read;
  if (tokens > 0)
    read = fmt::format("; {} read in {} ({} tokens/s)", HumanCount(tokens, "token"),
                       HumanDuration(report.seconds),
                       HumanRate(static_cast<double>(tokens) / report.seconds));
  return fmt::format("{}: {}{}\n", HumanCount(report.outcomes.size(), "state"), kinds, read);
}

BatchReport MakeStates(const Context& context, library::Library& library, ModelWhenNeeded& model,
                       const std::vector<PlannedState>& states,
                       const std::function<void(const StateOutcome&)>& on_outcome) {
  return Batch(context, library, model, states, on_outcome).Run();
}

BatchReport ForecastStates(const Context& context, const library::Library& library,
                           ModelWhenNeeded& model, const std::vector<PlannedState>& states,
                           const std::function<void(const StateOutcome&)>& on_outcome) {
  Outcomes outcomes(on_outcome);
  for (size_t i = 0; i < states.size(); ++i) {
    context.cancel.Check();
    model.Key();
    try {
      const DocumentReader reader(context, TemplateOf(states[i]));
      auto found = UpToDate(library, model, reader, states[i]);
      const auto kind = found                                   ? StateOutcome::Kind::kUnchanged
                        : IsThere(library, states[i].reference) ? StateOutcome::Kind::kRebuilt
                                                                : StateOutcome::Kind::kBuilt;
      outcomes.Add({i, kind, {}, std::move(found), {}});
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      outcomes.Fail(i, error);
    }
  }
  return outcomes.Take();
}

void ThrowIfFailed(const BatchReport& report) {
  if (!report.first_failure) return;
  const auto failed = std::count_if(
      report.outcomes.begin(), report.outcomes.end(),
      [](const StateOutcome& outcome) { return outcome.kind == StateOutcome::Kind::kFailed; });
  Throw(*report.first_failure, "{} of {} could not be made; the others are kept", failed,
        HumanCount(report.outcomes.size(), "state"));
}

}  // namespace statelib::cli
