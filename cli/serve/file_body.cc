// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/file_body.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "core/base/error.h"

namespace statelib::cli {

namespace {

constexpr uint64_t kBlockBytes = 256u << 10;

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class FileSource : public BodySource {
 public:
  FileSource(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) ThrowErrno("cannot open", path.string(), errno);
  }
  ~FileSource() override { ::close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  uint64_t SizeBytes() const {
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0) ThrowErrno("cannot read", "a file", errno);
    return static_cast<uint64_t>(info.st_size);
  }
  void Choose(const ByteRange& range) { range_ = range; }

  void Next(Take take) override {
    std::string block(std::min(range_.bytes, kBlockBytes), '\0');
    ssize_t got = 0;
    do {
      got = ::pread(descriptor_, block.data(), block.size(), static_cast<off_t>(range_.first));
    } while (got < 0 && errno == EINTR);
    if (got < 0) ThrowErrno("cannot read", "a file", errno);
    block.resize(static_cast<size_t>(got));
    range_.first += block.size();
    range_.bytes -= block.size();
    take(std::move(block));
  }

 private:
  int descriptor_;
  ByteRange range_;
};

}  // namespace

std::optional<ByteRange> ParseRange(std::string_view header, uint64_t file_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first_text = header.substr(0, dash);
  const std::string_view last_text = header.substr(dash + 1);
  const auto first = Number(first_text);
  const auto last = Number(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty())) return std::nullopt;
  const HttpRefusal outside(416,
                            "the range lies outside of " + std::to_string(file_bytes) + " bytes");
  if (!first) {
    if (!last) return std::nullopt;
    if (*last == 0 || file_bytes == 0) throw outside;
    const uint64_t bytes = std::min(*last, file_bytes);
    return ByteRange{file_bytes - bytes, bytes};
  }
  if (last && *last < *first) return std::nullopt;
  if (*first >= file_bytes) throw outside;
  const uint64_t end = std::min(last.value_or(file_bytes - 1), file_bytes - 1) + 1;
  return ByteRange{*first, end - *first};
}

HttpResponse AnswerFile(const HttpRequest& request, const std::filesystem::path& path,
                        const std::string& type) {
  const auto source = std::make_shared<FileSource>(path);
  const uint64_t size = source->SizeBytes();
  const auto part = ParseRange(request.Header("Range"), size);
  const ByteRange range = part.value_or(ByteRange{0, size});
  HttpResponse response{.headers = {{"Content-Type", type}, {"Accept-Ranges", "bytes"}}};
  if (part) {
    response.status = 206;
    response.headers.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", range.first,
                                                             range.first + range.bytes - 1, size)});
  }
  source->Choose(range);
  response.source = source;
  response.source_bytes = range.bytes;
  return response;
}

}  // namespace statelib::cli
