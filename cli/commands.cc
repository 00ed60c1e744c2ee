// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <algorithm>
#include <iterator>

#include "cli/sharing_commands.h"

namespace statelib::cli {

namespace {

constexpr const char* kStates = "States";
constexpr const char* kLibrary = "Library";
constexpr const char* kModels = "Models";
constexpr const char* kSharing = "Sharing";
constexpr const char* kTools = "Tools";

constexpr CommandDescription kCommands[] = {
    {"ingest", kStates, "Read documents into a named state", MakeIngestCommand},
    {"build", kStates, "Bring a library up to date with a manifest", MakeBuildCommand},
    {"append", kStates, "Go on from a state with more documents", MakeAppendCommand},
    {"ask", kStates, "Ask what a state has read", MakeAskCommand},
    {"generate", kStates, "Go on from a state with an answer", MakeGenerateCommand},
    {"at", kStates, "The state after the first tokens of a document", MakeAtCommand},
    {"cat", kStates, "The text that a state has read", MakeCatCommand},
    {"diff", kStates, "Compare what two states have read and hold", MakeDiffCommand},
    {"recode", kStates, "Store a state smaller: in another codec", MakeRecodeCommand},
    {"state dump", kStates, "Write a state's numbers into a safetensors file",
     MakeStateDumpCommand},
    {"state load", kStates, "Take such a file back, changed or not", MakeStateLoadCommand},
    {"init", kLibrary, "Make an empty library, for you alone or for your group", MakeInitCommand},
    {"list", kLibrary, "List the states of the library", MakeListCommand},
    {"ls", kLibrary, "The same as list", MakeListCommand},
    {"search", kLibrary, "Find states by the words of what they have read", MakeSearchCommand},
    {"show", kLibrary, "Show all that is known about a state", MakeShowCommand},
    {"log", kLibrary, "Show the versions of a name", MakeLogCommand},
    {"stats", kLibrary, "How much the library holds, stores and shares", MakeStatsCommand},
    {"status", kLibrary, "Say whether a state's documents have changed since", MakeStatusCommand},
    {"checkout", kLibrary, "Go back to a version of a name", MakeCheckoutCommand},
    {"restore", kLibrary, "The same as checkout", MakeCheckoutCommand},
    {"undo", kLibrary, "Take back the last change of a name", MakeUndoCommand},
    {"branch", kLibrary, "Fork a state under a name of its own", MakeBranchCommand},
    {"tag", kLibrary, "Set a tag on a state", MakeTagCommand},
    {"cp", kLibrary, "Give a state another name as well", MakeCpCommand},
    {"mv", kLibrary, "Rename a state", MakeMvCommand},
    {"rm", kLibrary, "Remove names; gc then removes what only they led to", MakeRmCommand},
    {"forget", kLibrary, "Remove older versions of names", MakeForgetCommand},
    {"gc", kLibrary, "Remove states that no name leads to", MakeGcCommand},
    {"verify", kLibrary, "Check every object and every reference", MakeVerifyCommand},
    {"repair", kLibrary, "Make a lost or damaged index again", MakeRepairCommand},
    {"checkpoint list", kLibrary, "List the checkpoints that ingests left",
     MakeCheckpointListCommand},
    {"checkpoint budget", kLibrary, "Show or set how many bytes checkpoints may take",
     MakeCheckpointBudgetCommand},
    {"export", kSharing, "Write states into one file", MakeExportCommand},
    {"import", kSharing, "Take states from such a file", MakeImportCommand},
    {"push", kSharing, "Send states to a remote", MakePushCommand},
    {"pull", kSharing, "Fetch states from a remote", MakePullCommand},
    {"ls-remote", kSharing, "List the states of a remote", MakeLsRemoteCommand},
    {"serve", kSharing, "Serve the library to others over HTTP", MakeServeCommand},
    {"remote add", kSharing, "Add a remote to the library", MakeRemoteAddCommand},
    {"remote list", kSharing, "List the remotes that the library knows", MakeRemoteListCommand},
    {"remote rm", kSharing, "Forget a remote", MakeRemoteRmCommand},
    {"key create", kSharing, "Make a key to sign with", MakeKeyCreateCommand},
    {"key list", kSharing, "List your keys and those that you trust", MakeKeyListCommand},
    {"key trust", kSharing, "Trust somebody's key", MakeKeyTrustCommand},
    {"key rm", kSharing, "Forget a key", MakeKeyRmCommand},
    {"model add", kModels, "Add a model to the library", MakeModelAddCommand},
    {"model list", kModels, "List the models that the library knows", MakeModelListCommand},
    {"model show", kModels, "Show all that is known about a model", MakeModelShowCommand},
    {"model default", kModels, "Choose the default model", MakeModelDefaultCommand},
    {"model set", kModels, "Say how a question is put to a model", MakeModelSetCommand},
    {"model rm", kModels, "Forget a model", MakeModelRmCommand},
    {"model check", kModels, "Compare what a model computes with recorded values",
     MakeModelCheckCommand},
    {"model convert", kModels, "Write a model in another form", MakeModelConvertCommand},
    {"eval quality", kTools, "Measure what a weight format costs in predictions",
     MakeEvalQualityCommand},
    {"bench", kTools, "Measure this machine with a model, beside what it allows", MakeBenchCommand},
    {"tokenize", kTools, "Turn text into token ids", MakeTokenizeCommand},
    {"detokenize", kTools, "Turn token ids into text", MakeDetokenizeCommand},
    {"config list", kTools, "List the settings and where each comes from", MakeConfigListCommand},
    {"config get", kTools, "Print one setting", MakeConfigGetCommand},
    {"config set", kTools, "Set something for every command", MakeConfigSetCommand},
    {"config unset", kTools, "Go back to a setting's default", MakeConfigUnsetCommand},
    {"help", kTools, "Print the help of a command", MakeHelpCommand},
    {"version", kTools, "Print the version", MakeVersionCommand},
    {"completion", kTools, "Print a completion script for a shell", MakeCompletionCommand},
};

constexpr CommandGroup kGroups[] = {
    {"checkpoint", "List checkpoints and bound what they take",
     "  statelib checkpoint list\n"
     "  statelib checkpoint budget 500MB\n"},
    {"remote", "Places to exchange states with",
     "  statelib remote add share /mnt/share/states\n"
     "  statelib remote list\n"
     "  statelib push share handbook\n"},
    {"key", "Keys that sign bundles, and whose are trusted",
     "  statelib key create me\n"
     "  statelib key trust ed25519:1f0c…e9 --name alice\n"
     "  statelib key list\n"},
    {"model", "Add, list and check models",
     "  statelib model add ~/models/mamba-130m --name small\n"
     "  statelib model default small\n"
     "  statelib model show small\n"
     "  statelib model check ~/models/mamba-130m --golden mamba-130m.golden\n"},
    {"config", "What is set for every command",
     "  statelib config list\n"
     "  statelib config set library ~/books\n"
     "  statelib config set sampling.temperature 0.7\n"
     "  statelib config unset sampling.temperature\n"},
    {"state", "States as files of numbers, for other programs",
     "  statelib state dump minutes -o minutes.safetensors\n"
     "  statelib state load minutes.safetensors --as copy\n"},
    {"eval", "Measure predictions", "  statelib eval quality --weights int8\n"},
};

}  // namespace

std::span<const CommandDescription> AllCommands() { return kCommands; }

const CommandGroup& GroupNamed(std::string_view name) {
  return *std::find_if(std::begin(kGroups), std::end(kGroups),
                       [&](const CommandGroup& group) { return name == group.name; });
}

}  // namespace statelib::cli
