// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <tuple>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/facts.h"
#include "cli/input.h"
#include "cli/library_manifest.h"
#include "cli/state_batch.h"
#include "core/base/error.h"
#include "statestore/library/organise.h"
#include "statestore/library/state_names.h"

namespace statelib::cli {

namespace {

constexpr size_t kManifestBytesMax = size_t{16} << 20;

/// States that one model makes.
struct ModelGroup {
  ModelChoice model;
  std::string weights;
  std::vector<PlannedState> states;
  std::vector<const ManifestState*> described;  ///< by state
};

bool IsPattern(const std::string& file) { return file.find_first_of("*?[") != std::string::npos; }

/// The files that a pattern means, looked for from its last folder without a wildcard on.
std::vector<FileToRead> FilesOfPattern(const Context& context, const std::string& pattern,
                                       documents::FolderOptions folders,
                                       std::vector<Unread>* unread,
                                       const std::filesystem::path& base) {
  const size_t wildcard = pattern.find_first_of("*?[");
  const size_t slash = pattern.rfind('/', wildcard);
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : pattern.substr(0, slash);
  folders.include = {"/" + pattern.substr(slash == std::string::npos ? 0 : slash + 1)};
  return ListFiles(context, {folder}, folders, unread, base);
}

class BuildCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FILE", &file_,
                         "The manifest, TOML or JSON lines (default: statelib.toml)",
                         {.shown_as = "FILE"});
    declaration.Flag("--dry-run", dry_run_, "Only say what would be built");
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib build\n"
        "  statelib build library/statelib.toml --dry-run\n"
        "  statelib build library.jsonl\n"
        "\n"
        "A manifest is TOML; paths are seen from its folder:\n"
        "  [defaults]                   # for every state that does not say otherwise\n"
        "  codec = \"int8\"\n"
        "  [[state]]\n"
        "  name = \"handbook\"            # NAME[:TAG]\n"
        "  files = [\"intro.md\", \"docs\", \"minutes/*.md\"]   # files, folders, patterns\n"
        "  heading = \"# {path}\\n\\n\"\n"
        "Or it is JSON lines (.jsonl), a state an object a line, the defaults before them:\n"
        "  {\"defaults\": {\"codec\": \"int8\"}}\n"
        "  {\"name\": \"handbook\", \"files\": [\"intro.md\", \"docs\", \"minutes/*.md\"]}\n"
        "Keys of a state: name, files; include, exclude, hidden, ignore-files (of folders);\n"
        "separator, heading, each; tags; keep-tokens, checkpoint-every; model, tokenizer, "
        "weights;\n"
        "codec, max-kl, probe. They mean what the options of `statelib ingest` mean. What the\n"
        "manifest does not name is left as it is.\n");
  }

  void Run(Context& context) override {
    const std::vector<ManifestState> described = ReadManifest(context);
    std::vector<Unread> unread;
    std::vector<ModelGroup> groups = Plan(context, described, &unread);
    TellUnread(context, unread);
    std::optional<library::Library> library = Open(context);
    Json list = Json::array();
    BatchReport all;
    for (const ModelGroup& group : groups) Join(Build(context, library, group, &list), &all);
    if (context.options.json)
      context.PrintJson(
          {{"dry_run", dry_run_}, {"states", std::move(list)}, {"unread", UnreadJson(unread)}});
    else
      context.Tell(Shown::Lines((dry_run_ ? "dry run: " : "") + SummaryText(all)), "");
    ThrowIfFailed(all);
  }

 private:
  std::vector<ManifestState> ReadManifest(const Context& context) const {
    Input input = Input::Open(file_, context.cancel);
    return ParseManifest(input.ReadAll(kManifestBytesMax), file_);
  }

  /// Every state with its files, before any of them is read.
  std::vector<ModelGroup> Plan(const Context& context, const std::vector<ManifestState>& described,
                               std::vector<Unread>* unread) const {
    std::map<std::tuple<std::string, std::string, std::string>, size_t> places;
    std::map<std::string, std::string> taken;  // name -> where
    std::vector<ModelGroup> groups;
    for (const ManifestState& state : described) {
      const auto [place, fresh] = places.emplace(
          std::tuple(state.model.model, state.model.tokenizer, state.weights), groups.size());
      if (fresh) groups.push_back({state.model, state.weights, {}, {}});
      ModelGroup& group = groups[place->second];
      for (PlannedState& planned : PlanOne(context, state, unread)) {
        const auto [other, is_new] = taken.emplace(planned.reference.Text(), state.location);
        if (!is_new)
          Throw(ErrorKind::kInvalidArgument, "{}: {} is made at {} already", state.location,
                other->first, other->second);
        group.states.push_back(std::move(planned));
        group.described.push_back(&state);
      }
    }
    return groups;
  }

  std::vector<PlannedState> PlanOne(const Context& context, const ManifestState& state,
                                    std::vector<Unread>* unread) const {
    try {
      const std::vector<FileToRead> files = FilesOf(context, state, unread);
      const library::IngestOptions options = OptionsOf(context, state);
      if (!state.each) return {{state.reference, files, options}};
      std::vector<library::FileToName> to_name;
      for (const FileToRead& file : files) to_name.push_back({file.relative, file.name});
      const auto names = library::NamesForFiles(state.reference, to_name);
      std::vector<PlannedState> states;
      for (size_t i = 0; i < files.size(); ++i) states.push_back({names[i], {files[i]}, options});
      return states;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      throw Error(error.kind(), state.location + ": " + error.what());
    }
  }

  std::filesystem::path Base() const { return std::filesystem::path(file_).parent_path(); }

  std::vector<FileToRead> FilesOf(const Context& context, const ManifestState& state,
                                  std::vector<Unread>* unread) const {
    std::vector<FileToRead> all;
    for (const std::string& file : state.files) {
      std::error_code ignored;
      const bool there = std::filesystem::exists(Base() / file, ignored);
      if (!there && !IsPattern(file))
        Throw(ErrorKind::kNotFound, "{}: no such file or folder", file);
      const std::string name = file == "-" ? "./-" : file;  // a file, not standard input
      const auto files = there ? ListFiles(context, {name}, state.folders, unread, Base())
                               : FilesOfPattern(context, file, state.folders, unread, Base());
      if (files.empty()) Throw(ErrorKind::kNotFound, "{}: no document there", file);
      all.insert(all.end(), files.begin(), files.end());
    }
    for (FileToRead& file : all)
      file.name = std::filesystem::path(file.name).lexically_normal().string();
    return all;
  }

  library::IngestOptions OptionsOf(const Context& context, const ManifestState& state) const {
    library::IngestOptions options;
    options.keep_tokens = state.keep_tokens;
    options.checkpoint_stride_tokens = state.checkpoint_stride_tokens;
    options.text_template = state.text_template;
    CodecOptions codec = state.codec;
    if (!codec.probe_file.empty()) codec.probe_file = (Base() / codec.probe_file).string();
    options.codec = CodecRequestOf(context, codec);
    options.cancel = &context.cancel;
    return options;
  }

  /// Nothing where a dry run finds no library yet.
  std::optional<library::Library> Open(const Context& context) const {
    if (!dry_run_) return OpenLibrary(context, library::Library::Access::kCreate);
    return OpenLibraryIfThere(context);
  }

  BatchReport Build(Context& context, std::optional<library::Library>& library,
                    const ModelGroup& group, Json* list) const {
    const auto tell = [&](const StateOutcome& outcome) {
      const PlannedState& planned = group.states[outcome.planned];
      TellUnread(context, outcome.unread);
      Json json = OutcomeJson(planned, outcome);
      if (!dry_run_) SetTags(*library, planned, *group.described[outcome.planned], outcome);
      list->push_back(std::move(json));
      if (context.options.json) return;
      if (dry_run_ && WouldBeMade(outcome))
        context.Tell(Shown::Format("{}: would be {}\n",
                                   context.out.Paint(Colour::kBold, planned.reference.Text()),
                                   NameOf(outcome.kind)),
                     planned.reference.Text());
      else
        TellOutcome(context, planned, outcome);
    };
    if (!library) {
      BatchReport report;
      for (size_t i = 0; i < group.states.size(); ++i) {
        report.outcomes.push_back({i, StateOutcome::Kind::kBuilt, {}, {}, {}});
        tell(report.outcomes.back());
      }
      return report;
    }
    engine::RuntimeOptions runtime = runtime_options_;
    if (runtime.weights.empty()) runtime.weights = group.weights;
    ModelWhenNeeded model(context, *library, group.model, runtime);
    return dry_run_ ? ForecastStates(context, *library, model, group.states, tell)
                    : MakeStates(context, *library, model, group.states, tell);
  }

  static bool WouldBeMade(const StateOutcome& outcome) {
    return outcome.kind == StateOutcome::Kind::kBuilt ||
           outcome.kind == StateOutcome::Kind::kRebuilt;
  }

  /// Lets the tags name the state that the name has now.
  static void SetTags(library::Library& library, const PlannedState& planned,
                      const ManifestState& described, const StateOutcome& outcome) {
    if (!outcome.result && !outcome.state) return;
    for (const std::string& tag : described.tags) {
      const storage::Reference to{planned.reference.name, tag, {}};
      if (to != planned.reference) library::Copy(library, planned.reference.Text(), to);
    }
  }

  static void Join(BatchReport report, BatchReport* all) {
    all->seconds += report.seconds;
    if (!all->first_failure) all->first_failure = report.first_failure;
    for (StateOutcome& outcome : report.outcomes) all->outcomes.push_back(std::move(outcome));
  }

  std::string file_ = "statelib.toml";
  bool dry_run_ = false;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeBuildCommand() { return std::make_unique<BuildCommand>(); }

}  // namespace statelib::cli
