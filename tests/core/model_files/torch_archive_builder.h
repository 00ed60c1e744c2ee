// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_MODEL_FILES_TORCH_ARCHIVE_BUILDER_H_
#define STATELIB_TESTS_CORE_MODEL_FILES_TORCH_ARCHIVE_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/core/model_files/raw_bytes.h"

namespace statelib::model_files {

/// What makes an archive differ from what torch.save writes.
struct ZipOptions {
  bool zip64 = false;
  uint16_t method = 0;
  uint16_t flags = 0;
  std::string comment = {};
};

/// A zip archive of stored entries.
inline std::string BuildZip(const std::vector<std::pair<std::string, std::string>>& entries,
                            const ZipOptions& options = {}) {
  std::string file;
  std::string directory;
  for (const auto& [name, bytes] : entries) {
    const uint64_t offset = file.size();
    const auto size = static_cast<uint32_t>(bytes.size());
    const uint32_t shown = options.zip64 ? 0xffffffff : size;
    const std::string numbers = Raw(uint64_t{size}) + Raw(uint64_t{size});
    const std::string local_extra =
        options.zip64 ? Raw<uint16_t>(1) + Raw<uint16_t>(16) + numbers : "";
    const std::string central_extra =
        options.zip64 ? Raw<uint16_t>(1) + Raw<uint16_t>(24) + numbers + Raw(offset) : "";
    const std::string common = Raw(options.flags) + Raw(options.method) + Raw<uint32_t>(0) +
                               Raw<uint32_t>(0) + Raw(shown) + Raw(shown) +
                               Raw(static_cast<uint16_t>(name.size()));
    file += Raw<uint32_t>(0x04034b50) + Raw<uint16_t>(45) + common +
            Raw(static_cast<uint16_t>(local_extra.size())) + name + local_extra + bytes;
    directory += Raw<uint32_t>(0x02014b50) + Raw<uint32_t>(45) + common +
                 Raw(static_cast<uint16_t>(central_extra.size())) + Raw<uint16_t>(0) +
                 Raw<uint16_t>(0) + Raw<uint16_t>(0) + Raw<uint32_t>(0) +
                 Raw(options.zip64 ? 0xffffffff : static_cast<uint32_t>(offset)) + name +
                 central_extra;
  }
  const uint64_t start = file.size();
  const uint64_t count = entries.size();
  file += directory;
  if (options.zip64) {
    const uint64_t record = file.size();
    file += Raw<uint32_t>(0x06064b50) + Raw<uint64_t>(44) + Raw<uint32_t>(0) + Raw<uint64_t>(0) +
            Raw(count) + Raw(count) + Raw(uint64_t{directory.size()}) + Raw(start);
    file += Raw<uint32_t>(0x07064b50) + Raw<uint32_t>(0) + Raw(record) + Raw<uint32_t>(1);
  }
  const auto small = options.zip64 ? uint16_t{0xffff} : static_cast<uint16_t>(count);
  const uint32_t size = options.zip64 ? 0xffffffff : static_cast<uint32_t>(directory.size());
  const uint32_t at = options.zip64 ? 0xffffffff : static_cast<uint32_t>(start);
  return file + Raw<uint32_t>(0x06054b50) + Raw<uint32_t>(0) + Raw(small) + Raw(small) + Raw(size) +
         Raw(at) + Raw(static_cast<uint16_t>(options.comment.size())) + options.comment;
}

// Pieces of a pickle of protocol 2. A tuple is "(" items "t".
inline std::string PickleText(std::string_view text) {
  return "X" + Raw(static_cast<uint32_t>(text.size())) + std::string(text);
}
inline std::string PickleInt(int32_t value) { return "J" + Raw(value); }
inline std::string PickleGlobalOp(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string PickleInts(const std::vector<int32_t>& values) {
  std::string tuple = "(";
  for (const int32_t value : values) tuple += PickleInt(value);
  return tuple + "t";
}
/// The persistent id of a storage.
inline std::string PickleStorage(std::string_view module, std::string_view storage_class,
                                 std::string_view key, int32_t count) {
  return "(" + PickleText("storage") + PickleGlobalOp(module, storage_class) + PickleText(key) +
         PickleText("cuda:0") + PickleInt(count) + "tQ";
}
/// A call of torch._utils._rebuild_tensor_v2.
inline std::string PickleTensor(const std::string& storage, int32_t offset,
                                const std::vector<int32_t>& sizes,
                                const std::vector<int32_t>& strides) {
  return PickleGlobalOp("torch._utils", "_rebuild_tensor_v2") + "(" + storage + PickleInt(offset) +
         PickleInts(sizes) + PickleInts(strides) + "\x89" +
         PickleGlobalOp("collections", "OrderedDict") + ")R" + "tR";
}
/// A whole pickle around one value.
inline std::string Pickle(const std::string& value) { return "\x80\x02" + value + "."; }
/// A dict of these members.
inline std::string PickleDict(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string dict = "}(";
  for (const auto& [name, value] : members) dict += PickleText(name) + value;
  return dict + "u";
}

/// An archive of this pickled value and these storages.
inline std::string BuildTorchArchive(
    const std::string& value, const std::vector<std::pair<std::string, std::string>>& storages,
    const ZipOptions& options = {}) {
  std::vector<std::pair<std::string, std::string>> entries = {{"m/data.pkl", Pickle(value)}};
  for (const auto& [key, bytes] : storages) entries.emplace_back("m/data/" + key, bytes);
  entries.emplace_back("m/version", "3\n");
  return BuildZip(entries, options);
}

}  // namespace statelib::model_files

#endif  // STATELIB_TESTS_CORE_MODEL_FILES_TORCH_ARCHIVE_BUILDER_H_
