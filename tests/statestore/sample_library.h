// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_SAMPLE_LIBRARY_H_
#define STATELIB_TESTS_STATESTORE_SAMPLE_LIBRARY_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "statestore/storage/maintenance.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/repository.h"
#include "tests/statestore/sample_new_state.h"

namespace statelib::storage {

/// Publishes a SampleNewState, from one source.
inline PublishedState PublishSample(Repository& repository, const std::string& name,
                                    uint64_t token_count = 5, unsigned seed = 1,
                                    int64_t now_ms = 1000) {
  SampleNewState sample(token_count, seed);
  sample.state.model_name = "sample";
  Derivation derivation;
  derivation.sources = {{"a.txt", 12, HashOf(AsBytes("a")), token_count, now_ms}};
  return Publish(repository, sample.state, derivation, Reference::Parse(name), now_ms);
}

/// Publishes SampleStateNear(token_count, seed), computed from `prefix`.
inline PublishedState PublishNear(Repository& repository, const std::string& name,
                                  uint64_t token_count, Codec codec,
                                  std::optional<StateId> prefix = {}, unsigned seed = 1) {
  SampleNewState sample(SampleStateNear(token_count, seed), seed);
  sample.state.codec = codec;
  sample.state.prefix = prefix;
  return Publish(repository, sample.state, {}, Reference::Parse(name), 1000);
}

/// Expects that verify finds nothing wrong.
inline void ExpectClean(const Repository& repository) {
  const VerifyReport report = Verify(repository);
  EXPECT_TRUE(report.strangers.empty());
  for (const Problem& problem : report.problems) ADD_FAILURE() << problem.what;
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_SAMPLE_LIBRARY_H_
