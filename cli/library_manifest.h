// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_LIBRARY_MANIFEST_H_
#define STATELIB_CLI_LIBRARY_MANIFEST_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/codec_options.h"
#include "cli/library_access.h"
#include "statestore/documents/folder.h"
#include "statestore/library/ingest.h"

namespace statelib::cli {

/// What a manifest (statelib.toml, or JSON lines) says of one state, or with `each` of one state a
/// file.
struct ManifestState {
  std::string location;  ///< for messages: "statelib.toml:12"
  storage::Reference reference;
  std::vector<std::string> files;  ///< files, folders and patterns, from the manifest's folder
  documents::FolderOptions folders;
  storage::SourceTemplate text_template;
  std::vector<std::string> tags;
  bool each = false;
  bool keep_tokens = true;
  uint64_t checkpoint_stride_tokens = library::kCheckpointStrideTokens;
  ModelChoice model;
  std::string weights;
  CodecOptions codec;
};

/// Reads the text of a manifest: TOML, or JSON lines where `name` ends in .jsonl or .ndjson or the
/// text begins with a brace (manifest_table.h has the forms). Its keys are those that `statelib
/// build --help` lists. Errors: kInvalidArgument with file and line for what is of neither form, an
/// unknown key (with the nearest one), a value of another type or without sense, and a state
/// without a name or files or with the name of another.
std::vector<ManifestState> ParseManifest(std::string_view text, const std::string& name);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_LIBRARY_MANIFEST_H_
