// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_LIBRARY_DEMO_LIBRARY_H_
#define STATELIB_TESTS_STATESTORE_LIBRARY_DEMO_LIBRARY_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "statestore/library/ingest.h"
#include "statestore/library/library.h"
#include "statestore/library/load.h"
#include "statestore/library/models.h"
#include "tests/temporary_directory.h"

namespace statelib::library {

inline std::filesystem::path DemoModel() {
  return std::filesystem::path(STATELIB_SOURCE_DIR) / "examples" / "models" / "demo";
}

inline Document DocumentOf(const std::string& name, const std::string& text) {
  return {name, text};
}

/// A fresh library, the demo model, and a clock that moves by a second at every look.
class DemoLibrary : public testing::Test {
 protected:
  IngestResult IngestText(const std::string& name, const std::string& text,
                          const IngestOptions& options = {}) {
    const Document document{name + ".txt", text};
    return Ingest(library_, model_, std::span(&document, 1), storage::Reference::Parse(name),
                  options);
  }
  IngestResult AppendText(const std::string& name, const std::string& text,
                          const IngestOptions& options = {}) {
    const Document document{"more.txt", text};
    return Append(library_, model_, library_.Resolve(name), std::span(&document, 1),
                  storage::Reference::Parse(name), options);
  }
  /// The demo model under another fingerprint: its config.json has one more space.
  std::filesystem::path OtherModel() {
    const std::filesystem::path other = folder_.path() / "other";
    std::filesystem::copy(DemoModel(), other);
    std::ofstream(other / "config.json", std::ios::app) << " ";
    return other;
  }
  Library OpenLibrary(const std::string& folder) {
    return Library::Open(folder_.path() / folder, Library::Access::kCreate, FileSystem::Real(),
                         [this] { return now_ms_ += 1000; });
  }

  TemporaryDirectory folder_;
  int64_t now_ms_ = 0;
  Library library_ = OpenLibrary("library");
  LoadedModel model_ = LoadModel(library_, {DemoModel(), "demo"}, {});
};

}  // namespace statelib::library

#endif  // STATELIB_TESTS_STATESTORE_LIBRARY_DEMO_LIBRARY_H_
