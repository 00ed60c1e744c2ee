// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/zip_archive.h"

#include <gtest/gtest.h>

#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/torch_archive_builder.h"

namespace statelib::model_files {
namespace {

std::vector<ZipEntry> Read(const std::string& archive) {
  return ReadStoredZip(AsBytes(archive), "m.zip");
}

void ExpectRefused(ErrorKind kind, std::initializer_list<std::string> parts,
                   const std::string& archive) {
  ExpectError(kind, parts, [&] { Read(archive); });
}

TEST(ZipArchive, ReadsStoredEntriesByName) {
  const std::string archive = BuildZip({{"b", "second"}, {"a/c", ""}, {"a/b", "first"}});
  const std::vector<ZipEntry> entries = Read(archive);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a/b");
  EXPECT_EQ(AsText(FindEntry(entries, "b")->bytes), "second");
  EXPECT_TRUE(FindEntry(entries, "a/c")->bytes.empty());
  EXPECT_EQ(FindEntry(entries, "x"), nullptr);
}

TEST(ZipArchive, ReadsZip64AndComments) {
  for (const ZipOptions& options : {ZipOptions{.zip64 = true}, ZipOptions{.comment = "note"},
                                    ZipOptions{.zip64 = true, .comment = std::string(999, 'x')}}) {
    const std::string archive = BuildZip({{"a", "first"}, {"b", "second"}}, options);
    EXPECT_EQ(AsText(FindEntry(Read(archive), "b")->bytes), "second");
  }
}

TEST(ZipArchive, AnEmptyArchiveHasNoEntries) { EXPECT_TRUE(Read(BuildZip({})).empty()); }

TEST(ZipArchive, CutAtEveryByteIsRefused) {
  for (const bool zip64 : {false, true}) {
    const std::string archive = BuildZip({{"a", "first"}, {"b", "second"}}, {.zip64 = zip64});
    for (size_t length = 0; length < archive.size(); ++length) {
      ExpectRefused(ErrorKind::kCorrupt, {"m.zip"}, archive.substr(0, length));
    }
  }
}

TEST(ZipArchive, EveryChangedByteIsRefusedOrInsideTheFile) {
  for (const bool zip64 : {false, true}) {
    const std::string archive = BuildZip({{"a", "first"}, {"b", "second"}}, {.zip64 = zip64});
    size_t refused = 0;
    for (size_t at = 0; at < archive.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string changed = archive;
        changed[at] = static_cast<char>(value);
        try {
          for (const ZipEntry& entry : Read(changed)) {
            ASSERT_LE(entry.bytes.size(), changed.size());
            if (entry.bytes.empty()) continue;
            ASSERT_GE(entry.bytes.data(), AsBytes(changed).data());
            ASSERT_LE(&entry.bytes.back(), &AsBytes(changed).back());
          }
        } catch (const Error&) {
          ++refused;
        }
      }
    }
    EXPECT_GT(refused, 10'000u);
  }
}

TEST(ZipArchive, CompressedAndEncryptedEntriesAreRefused) {
  ExpectRefused(ErrorKind::kUnsupported, {"zip entry \"a\"", "compression method 8"},
                BuildZip({{"a", "x"}}, {.method = 8}));
  ExpectRefused(ErrorKind::kUnsupported, {"zip entry \"a\"", "encrypted"},
                BuildZip({{"a", "x"}}, {.flags = 1}));
}

TEST(ZipArchive, OddNamesAreRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"every zip entry once, found \"a\" twice"},
                BuildZip({{"a", "x"}, {"a", "y"}}));
  ExpectRefused(ErrorKind::kCorrupt, {"plain names", "a\\nb"}, BuildZip({{"a\nb", "x"}}));
}

TEST(ZipArchive, EntriesInsideEachOtherAreRefused) {
  // The first entry's data hold a whole second entry, which the directory names too.
  const std::string inner = BuildZip({{"b", "data"}});
  const std::string header = inner.substr(0, inner.find("PK\x01\x02"));
  std::string archive = BuildZip({{"a", header}, {"b", "data"}});
  const size_t second = archive.rfind("PK\x01\x02");
  const auto inside = static_cast<uint32_t>(archive.find(header));
  archive.replace(second + 42, 4, Raw(inside));
  ExpectRefused(ErrorKind::kCorrupt, {"apart from each other, found \"b\" inside \"a\""}, archive);
}

TEST(ZipArchive, HeadersThatDisagreeAreRefused) {
  std::string archive = BuildZip({{"aaaa", "data"}});
  archive.replace(archive.find("aaaa"), 4, "bbbb");
  ExpectRefused(ErrorKind::kCorrupt, {"\"aaaa\"", "agrees with the directory"}, archive);
}

TEST(ZipArchive, TextIsNoArchive) {
  ExpectRefused(ErrorKind::kCorrupt, {"end record of a zip archive", "found none in 5 bytes"},
                "hello");
  ExpectRefused(ErrorKind::kCorrupt, {"end record"}, "");
}

}  // namespace
}  // namespace statelib::model_files
