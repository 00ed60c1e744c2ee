// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/base/error.h"
#include "statestore/documents/glob.h"

namespace statelib::documents {

namespace fs = std::filesystem;

namespace {

constexpr size_t kFilesMax = 100'000;
constexpr size_t kEntriesMax = 1'000'000;
constexpr size_t kDepthMax = 64;
constexpr uintmax_t kIgnoreFileBytesMax = 1 << 20;

/// What refuses the whole folder and not only what it was found in.
class TooMuch : public Error {
 public:
  using Error::Error;
};

/// The rules of one .gitignore and the folder that they are relative to, with a closing slash.
struct RuleFile {
  std::string base;
  std::vector<IgnoreRule> rules;
};

std::string WithSlash(const fs::path& folder) {
  std::string text = folder.string();
  if (!text.ends_with('/')) text += '/';
  return text;
}

struct Steps {
  uint64_t taken = 0;
  uint64_t max = 0;
};

/// Whether the last rule that is about a path leaves it out.
enum class Verdict { kNone, kLeftOut, kTaken };
Verdict Judge(const std::vector<IgnoreRule>& rules, std::string_view path, bool is_folder,
              Steps* steps) {
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    if (Matches(*rule, path, is_folder, &steps->taken))
      return rule->negated ? Verdict::kTaken : Verdict::kLeftOut;
    if (steps->taken > steps->max) {
      throw TooMuch(
          ErrorKind::kInvalidArgument,
          fmt::format("{}: comparing names with patterns takes more than {} steps; give fewer "
                      "patterns, or --no-ignore where those of .gitignore files are too many",
                      path, steps->max));
    }
  }
  return Verdict::kNone;
}

std::vector<IgnoreRule> ReadRules(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return {};
  if (fs::file_size(file, error) > kIgnoreFileBytesMax || error)
    Throw(ErrorKind::kInvalidArgument, "{}: cannot be read, or has more than {} bytes",
          file.string(), kIgnoreFileBytesMax);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) ThrowErrno("reading", file.string(), errno);
  return ParseIgnoreRules(std::string(std::istreambuf_iterator<char>(stream), {}));
}

std::vector<IgnoreRule> RulesOf(const std::vector<std::string>& patterns) {
  std::vector<IgnoreRule> rules;
  for (const std::string& pattern : patterns) {
    const std::vector<IgnoreRule> parsed = ParseIgnoreRules(pattern);
    if (parsed.size() != 1 || parsed[0].negated)
      Throw(ErrorKind::kInvalidArgument,
            "\"{}\" is no pattern; give one as '*.md' or 'drafts/', as in a .gitignore file",
            pattern);
    rules.push_back(parsed[0]);
  }
  return rules;
}

class Walk {
 public:
  Walk(const fs::path& root, const FolderOptions& options, const CancelFlag* cancel)
      : root_(root),
        options_(options),
        cancel_(cancel),
        include_(RulesOf(options.include)),
        exclude_(RulesOf(options.exclude)) {}

  FolderFiles Run() {
    std::error_code error;
    absolute_ = fs::canonical(root_, error);
    if (error) ThrowErrno("reading", root_.string(), error.value());
    if (options_.ignore_files) ReadRulesAbove();
    Enter(root_, absolute_, "");
    const auto by_bytes = [](const fs::path& a, const fs::path& b) {
      return a.native() < b.native();
    };
    std::ranges::sort(found_.files, by_bytes);
    std::ranges::sort(found_.unread, by_bytes, &UnreadPlace::path);
    return std::move(found_);
  }

 private:
  /// Those of the folders between the repository's root and this one.
  void ReadRulesAbove() {
    std::vector<fs::path> above;
    for (fs::path folder = absolute_;; folder = folder.parent_path()) {
      if (folder != absolute_) above.push_back(folder);
      std::error_code ignored;
      if (fs::exists(folder / ".git", ignored)) break;
      if (folder == folder.root_path()) return;  // in no repository
    }
    for (auto folder = above.rbegin(); folder != above.rend(); ++folder)
      rule_files_.push_back({WithSlash(*folder), ReadRules(*folder / ".gitignore")});
  }

  /// Enters a folder below the root, or says why not.
  void EnterBelow(const fs::path& path, const fs::path& place, const std::string& relative) {
    const size_t inside = inside_.size();
    const size_t rules = rule_files_.size();
    try {
      Enter(path, place, relative);
    } catch (const TooMuch&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      inside_.resize(inside);
      rule_files_.resize(rules);
      found_.unread.push_back({path, error.what()});
    }
  }

  /// `path` is as the user writes it, `place` where it is without links, `relative` what patterns
  /// see.
  void Enter(const fs::path& path, const fs::path& place, const std::string& relative) {
    if (cancel_ != nullptr) cancel_->Check();
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0) ThrowErrno("reading", path.string(), errno);
    const std::pair<dev_t, ino_t> identity{facts.st_dev, facts.st_ino};
    if (std::find(inside_.begin(), inside_.end(), identity) != inside_.end())
      Throw(
          ErrorKind::kInvalidArgument,
          "{}: a link that leads back to a folder that it lies in; remove it or leave it out with "
          "--exclude",
          path.string());
    if (inside_.size() >= kDepthMax)
      Throw(ErrorKind::kInvalidArgument, "{}: folders nest deeper than {}", path.string(),
            kDepthMax);
    inside_.push_back(identity);
    const size_t rules_before = rule_files_.size();
    std::error_code error;
    fs::directory_iterator entries(path, error);
    if (!error && options_.ignore_files)
      rule_files_.push_back({WithSlash(place), ReadRules(path / ".gitignore")});
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const std::string name = entries->path().filename().string();
      Visit(path / name, place / name, relative.empty() ? name : relative + "/" + name);
    }
    if (error) ThrowErrno("reading", path.string(), error.value());
    rule_files_.resize(rules_before);
    inside_.pop_back();
  }

  void Visit(const fs::path& path, const fs::path& place, const std::string& relative) {
    if (++entries_ > kEntriesMax)
      throw TooMuch(ErrorKind::kInvalidArgument,
                    fmt::format("{}: has more than {} entries", root_.string(), kEntriesMax));
    const std::string name = path.filename().string();
    if (name == ".git" || (!options_.hidden && name.starts_with('.'))) return;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    const bool is_folder = fs::is_directory(status);
    if (error && error != std::errc::no_such_file_or_directory) {
      found_.unread.push_back({path, path.string() + ": " + error.message()});
      return;
    }
    // What is neither, as a pipe or a link to nowhere, is no document.
    if (!is_folder && !fs::is_regular_file(status)) return;
    if (Judge(exclude_, relative, is_folder, &steps_) == Verdict::kLeftOut) return;
    if (IsIgnored(place, is_folder)) return;
    if (is_folder) return EnterBelow(path, place, relative);
    if (!include_.empty() && !IsIncluded(relative)) return;
    if (found_.files.size() >= kFilesMax)
      throw TooMuch(ErrorKind::kInvalidArgument,
                    fmt::format("{}: has more than {} files", root_.string(), kFilesMax));
    found_.files.push_back(path);
  }

  bool IsIgnored(const fs::path& place, bool is_folder) {
    const std::string text = place.string();
    for (auto file = rule_files_.rbegin(); file != rule_files_.rend(); ++file) {
      // Behind a link, what stands above it says nothing.
      if (!text.starts_with(file->base)) continue;
      const Verdict verdict =
          Judge(file->rules, std::string_view(text).substr(file->base.size()), is_folder, &steps_);
      if (verdict != Verdict::kNone) return verdict == Verdict::kLeftOut;
    }
    return false;
  }

  /// A pattern that matches a folder takes all that lies in it.
  bool IsIncluded(std::string_view relative) {
    if (Judge(include_, relative, false, &steps_) == Verdict::kLeftOut) return true;
    for (size_t slash = relative.rfind('/'); slash != std::string_view::npos && slash > 0;
         slash = relative.rfind('/', slash - 1))
      if (Judge(include_, relative.substr(0, slash), true, &steps_) == Verdict::kLeftOut)
        return true;
    return false;
  }

  const fs::path& root_;
  const FolderOptions& options_;
  const CancelFlag* cancel_;
  std::vector<IgnoreRule> include_;
  std::vector<IgnoreRule> exclude_;
  fs::path absolute_;
  std::vector<RuleFile> rule_files_;  // the nearest last
  std::vector<std::pair<dev_t, ino_t>> inside_;
  FolderFiles found_;
  size_t entries_ = 0;
  Steps steps_{0, options_.pattern_steps_max};  // of comparing names with patterns
};

}  // namespace

FolderFiles FilesIn(const fs::path& folder, const FolderOptions& options,
                    const CancelFlag* cancel) {
  return Walk(folder, options, cancel).Run();
}

}  // namespace statelib::documents
