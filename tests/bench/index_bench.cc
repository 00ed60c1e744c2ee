// SPDX-License-Identifier: Apache-2.0
// A library of very many states: makes its index and a sparse file for every object, then measures
// what people wait for. Prints each median beside the goal. Usage: statelib_index_bench [STATES]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "statestore/storage/maintenance.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kGoalMs = 10;
constexpr off_t kObjectBytes = 600'000;
/// Of so many states one has no name: what gc removes.
constexpr int kGarbageEvery = 100;

double MsOf(const std::function<void()>& body) {
  const Clock::time_point start = Clock::now();
  body();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Names like "team/0012345"; every tenth has the tag "draft".
void FillIndex(Database& database, int64_t states) {
  database.Write([&] {
    database.Execute(
        "INSERT INTO models(fingerprint, name, architecture, summary, size_bytes, added_at, "
        "description) VALUES(zeroblob(32), 'sample', 'mamba', '12 layers', 1, 1, '{}')");
    const auto numbers =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(states) + ") ";
    database.Execute(
        "INSERT INTO states(id, model, profile, token_count, history_chain, content, tokens_kept, "
        "raw_bytes, stored_bytes, created_at) " +
        numbers +
        "SELECT randomblob(32), zeroblob(32), 'exact-f32-r1', 100 + i % 50000, randomblob(32), "
        "randomblob(32), 1, 700000, 600000, i FROM n");
    database.Execute("INSERT INTO state_chunks SELECT key, 0, randomblob(32), 100 FROM states");
    database.Execute(
        "INSERT INTO derivations(state, operation, token_count, created_at) "
        "SELECT id, 1, token_count, created_at FROM states");
    database.Execute(
        "INSERT INTO sources SELECT key, 0, 'doc' || key || '.md', 1000 + key % 9000, "
        "randomblob(32), 100, 1, NULL FROM derivations");
    const std::string named = " FROM states WHERE key % " + std::to_string(kGarbageEvery) + " != 0";
    database.Execute(
        "INSERT INTO refs SELECT key, printf('%s/%07d', CASE key % 4 WHEN 0 THEN 'alpha' WHEN 1 "
        "THEN "
        "'beta' WHEN 2 THEN 'gamma' ELSE 'delta' END, key), iif(key % 10 = 0, 'draft', 'latest'), "
        "1, "
        "created_at" +
        named);
    database.Execute("INSERT INTO versions SELECT key, 1, key, key, created_at" + named);
    database.Execute("INSERT INTO moves SELECT key, 1, 1, 0, created_at" + named);
  });
}

/// A file without blocks for every object.
void MakeObjects(const Repository& repository, const Database& database) {
  for (int i = 0; i < 256; ++i)
    fs::create_directories(repository.path() / "objects" / fmt::format("{:02x}", i));
  Statement ids =
      database.Prepare("SELECT id FROM states UNION ALL SELECT chunk FROM state_chunks");
  while (ids.Step()) {
    const std::string path = repository.objects().PathOf(ids.ToDigest(0)).string();
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || ::ftruncate(file, kObjectBytes) != 0) std::perror(path.c_str());
    ::close(file);
  }
}

void Measure(const char* what, const std::function<size_t()>& body) {
  constexpr int kRuns = 21;
  std::vector<double> ms;
  size_t rows = 0;
  for (int run = 0; run < kRuns; ++run) ms.push_back(MsOf([&] { rows = body(); }));
  std::printf("%-44s %9.3f ms (first %.3f), goal %.0f ms, %zu rows\n", what,
              (std::nth_element(ms.begin() + 1, ms.begin() + kRuns / 2, ms.end()), ms[kRuns / 2]),
              ms[0], kGoalMs, rows);
}

void MeasureQueries(const Repository& repository, int64_t states) {
  const Index& index = repository.index();
  const auto list = [&index](ReferenceQuery query) {
    query.limit = 100;
    return index.references().List(query).size();
  };
  const int64_t middle = states / 2 / 4 * 4 + 1;
  const std::string name = fmt::format("beta/{:07}", middle);
  Measure("list, first page of 100", [&] { return list({}); });
  Measure("list, page of 100 in the middle", [&] { return list({.after = {{name, "latest"}}}); });
  Measure("list, newest 100",
          [&] { return list({.sort = ReferenceQuery::Sort::kTime, .descending = true}); });
  Measure("look-up of a name", [&] { return repository.Resolve(name).reference ? 1u : 0u; });
  Measure("look-up of an id by 12 digits", [&] {
    const StateId id = repository.Resolve(name).state.id;
    return repository.Resolve(id.ShortHex()).state.id == id ? 1u : 0u;
  });
  Measure("prefix match, 100", [&] { return list({.name_pattern = name.substr(0, 9) + "*"}); });
  Measure("tag filter, 100", [&] { return list({.tag = "draft"}); });
  Measure("name in a prefix and with a tag, 100",
          [&] { return list({.name_pattern = "gamma/*", .tag = "draft"}); });
}

void Run(int64_t states) {
  TemporaryDirectory folder;
  Repository repository = Repository::Open(folder.path() / "library", Repository::Access::kCreate);
  Database database = Database::Open(repository.path() / "index.db", Database::Mode::kWrite);
  const double index_ms = MsOf([&] { FillIndex(database, states); });
  const double objects_ms = MsOf([&] { MakeObjects(repository, database); });
  std::printf("%ld states: index made in %.1f s, %ju MB; objects in %.1f s\n", states,
              index_ms / 1000,
              static_cast<uintmax_t>(fs::file_size(repository.path() / "index.db") / 1'000'000),
              objects_ms / 1000);
  MeasureQueries(repository, states);
  GarbageReport report;
  const double gc_ms = MsOf([&] { report = CollectGarbage(repository, {}); });
  std::printf("%-44s %9.1f s, %.1f us a state; removed %zu states\n", "gc", gc_ms / 1000,
              gc_ms * 1000 / static_cast<double>(states), report.states.size());
}

}  // namespace
}  // namespace statelib::storage

int main(int argc, char** argv) {
  statelib::storage::Run(argc > 1 ? std::atol(argv[1]) : 1'000'000);
  return 0;
}
