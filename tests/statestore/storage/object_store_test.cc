// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/sample_state.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

EncodedObject ObjectOf(std::string_view text) {
  const ByteSpan bytes = AsBytes(text);
  return {HashOf(bytes), Bytes(bytes.begin(), bytes.end())};
}

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() {
    std::filesystem::create_directories(folder_.path() / "objects");
    std::filesystem::create_directories(folder_.path() / "tmp");
  }
  ObjectStore Store(FileSystem& files = FileSystem::Real()) {
    return {files, folder_.path() / "objects", folder_.path() / "tmp"};
  }
  void Overwrite(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }

  TemporaryDirectory folder_;
};

TEST_F(ObjectStoreTest, AnObjectIsStoredOnceUnderItsHash) {
  ObjectStore store = Store();
  const EncodedObject object = ObjectOf("some bytes");
  EXPECT_TRUE(store.Put(object));
  EXPECT_FALSE(store.Put(object));
  EXPECT_EQ(store.Get(object.id), object.bytes);
  EXPECT_EQ(store.StoredBytes(object.id), 10u);
  const std::string name = object.id.Hex();
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "objects" / name.substr(0, 2) / name));
  EXPECT_TRUE(store.Temporaries().empty());
  store.Remove(object.id);
  EXPECT_FALSE(store.Exists(object.id));
  ExpectError(ErrorKind::kCorrupt, name + ": the object is missing: expected a file, found nothing",
              [&] { store.Get(object.id); });
}

TEST_F(ObjectStoreTest, WhatIsNoFileIsNoObjectAndIsLeftAlone) {
  ObjectStore store = Store();
  const EncodedObject folder = ObjectOf("a folder"), pipe = ObjectOf("a pipe");
  std::filesystem::create_directories(store.PathOf(folder.id) / "inside");
  std::filesystem::create_directories(store.PathOf(pipe.id).parent_path());
  ASSERT_EQ(::mkfifo(store.PathOf(pipe.id).c_str(), 0600), 0);
  std::filesystem::create_directories(folder_.path() / "tmp" / "folder");
  ASSERT_EQ(::mkfifo((folder_.path() / "objects" / "pipe").c_str(), 0600), 0);
  for (const auto& odd : {std::pair(folder.id, "found a folder"),
                          std::pair(pipe.id, "found a device, pipe or socket")}) {
    const ObjectId& id = odd.first;
    const char* const found = odd.second;
    EXPECT_FALSE(store.Exists(id));
    EXPECT_FALSE(store.IsSound(id));
    ExpectError(ErrorKind::kCorrupt, found, [&] { store.Get(id); });
    ExpectError(ErrorKind::kCorrupt, found, [&] { store.GetUnchecked(id); });
    ExpectError(ErrorKind::kCorrupt, found, [&] { store.Map(id); });
    ExpectError(ErrorKind::kCorrupt, found, [&] { store.StoredBytes(id); });
  }
  store.ForEach([](const ObjectId& id, uint64_t) { ADD_FAILURE() << id.Hex(); });
  size_t strangers = 0;
  store.ForEachStranger([&](const auto&) { ++strangers; });
  EXPECT_EQ(strangers, 4u);
  EXPECT_TRUE(store.Temporaries().empty());
  ExpectError(ErrorKind::kCorrupt, "a folder lies where an object belongs",
              [&] { store.Put(folder); });
  EXPECT_TRUE(store.Put(pipe));  // it takes the pipe's place
  EXPECT_EQ(store.Get(pipe.id), pipe.bytes);
}

TEST_F(ObjectStoreTest, ADamagedObjectIsRefusedWithItsPathAndAdvice) {
  ObjectStore store = Store();
  const EncodedObject object = ObjectOf("some bytes");
  store.Put(object);
  Overwrite(store.PathOf(object.id), "sOme bytes");
  ExpectError(ErrorKind::kCorrupt,
              store.PathOf(object.id).string() + ": damaged object: expected hash " +
                  object.id.ShortHex() + ", found " + HashOf(AsBytes("sOme bytes")).ShortHex(),
              [&] { store.Get(object.id); });
  ExpectError(ErrorKind::kCorrupt, "run `statelib verify`", [&] { store.Get(object.id); });
}

TEST_F(ObjectStoreTest, PuttingADamagedObjectAgainRepairsIt) {
  ObjectStore store = Store();
  const EncodedObject object = ObjectOf("some bytes");
  store.Put(object);
  for (const char* damage : {"sOme bytes", "some", ""}) {
    Overwrite(store.PathOf(object.id), damage);
    EXPECT_FALSE(store.IsSound(object.id));
    EXPECT_TRUE(store.Put(object));
    EXPECT_EQ(store.Get(object.id), object.bytes);
  }
}

TEST_F(ObjectStoreTest, OnlyObjectsAreListedAndStrangersAreNamed) {
  ObjectStore store = Store();
  const EncodedObject a = ObjectOf("a");
  const EncodedObject b = ObjectOf("b");
  store.Put(a);
  store.Put(b);
  folder_.Write("objects/ab/notes.txt", "x");
  folder_.Write("objects/zz/" + a.id.Hex(), "x");
  std::vector<ObjectId> seen;
  store.ForEach([&](const ObjectId& id, uint64_t bytes) {
    seen.push_back(id);
    EXPECT_EQ(bytes, 1u);
  });
  EXPECT_THAT(seen, testing::UnorderedElementsAre(a.id, b.id));
  size_t strangers = 0;
  store.ForEachStranger([&](const auto&) { ++strangers; });
  EXPECT_EQ(strangers, 2u);
}

TEST_F(ObjectStoreTest, AFailureAtAnyStepLeavesNoHalfObject) {
  const EncodedObject object = ObjectOf("some bytes");
  for (int n = 1;; ++n) {
    FaultyFileSystem files(n);
    ObjectStore store = Store(files);
    bool thrown = false;
    try {
      store.Put(object);
    } catch (const Error& error) {
      thrown = true;
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
      EXPECT_THAT(error.what(), testing::HasSubstr("free some space"));
    }
    EXPECT_EQ(thrown, files.failed());
    EXPECT_TRUE(Store().Temporaries().empty());
    if (Store().Exists(object.id)) {
      EXPECT_EQ(Store().Get(object.id), object.bytes);
    }
    std::filesystem::remove_all(Store().PathOf(object.id).parent_path());
    if (!thrown) {
      EXPECT_EQ(n, 9);
      break;
    }
  }
}

}  // namespace
}  // namespace statelib::storage
