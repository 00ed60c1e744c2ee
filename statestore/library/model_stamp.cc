// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/model_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "statestore/library/prompt_card.h"

namespace statelib::library {

namespace {

namespace fs = std::filesystem;

/// The files that a model may be made of: those of its folder, or the file that it is, and the
/// tokenizers that it may take from elsewhere.
std::vector<fs::path> FilesOf(const fs::path& model, const engine::TokenizerPlaces& tokenizers) {
  std::vector<fs::path> files = {model};
  const auto add = [&files]<typename Iterator>(Iterator entry, std::error_code& error) {
    for (; !error && entry != Iterator(); entry.increment(error))
      if (entry->path().filename() != kPromptCardName) files.push_back(entry->path());
  };
  std::error_code error;
  add(fs::directory_iterator(model, error), error);
  if (!tokenizers.given.empty())
    files.push_back(tokenizers.given);
  else if (!fs::exists(model / "tokenizer.json", error))
    add(fs::recursive_directory_iterator(tokenizers.shipped, error), error);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Digest StampOf(const std::filesystem::path& model, const engine::TokenizerPlaces& tokenizers) {
  Hasher hasher;
  hasher.UpdateField("statelib model stamp 3");
  for (const fs::path& path : FilesOf(model, tokenizers)) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    hasher.UpdateField(path.filename().string())
        .UpdateU64(static_cast<uint64_t>(info.st_size))
        .UpdateU64(static_cast<uint64_t>(info.st_mtim.tv_sec))
        .UpdateU64(static_cast<uint64_t>(info.st_mtim.tv_nsec))
        .UpdateU64(static_cast<uint64_t>(info.st_ctim.tv_sec))
        .UpdateU64(static_cast<uint64_t>(info.st_ctim.tv_nsec))
        .UpdateU64(static_cast<uint64_t>(info.st_ino));
  }
  return hasher.Finish();
}

}  // namespace statelib::library
