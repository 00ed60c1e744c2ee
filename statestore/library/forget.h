// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_FORGET_H_
#define STATELIB_STATESTORE_LIBRARY_FORGET_H_

#include <set>
#include <vector>

#include "statestore/library/library.h"
#include "statestore/library/organise.h"

namespace statelib::library {

/// Which versions of a name stay. A version that any rule keeps stays; 0: the rule keeps none.
struct ForgetPolicy {
  uint64_t keep_last = 0;   ///< the newest so many
  uint64_t keep_daily = 0;  ///< of the newest so many days (UTC) that have versions the newest each
};

/// The numbers of the versions that no rule keeps, ascending. Whatever the rules are, the newest
/// version stays, the one that the name stands for, and those of the states in `tagged`.
std::vector<uint64_t> VersionsToForget(const std::vector<storage::VersionRow>& versions,
                                       const std::set<storage::StateId>& tagged,
                                       const ForgetPolicy& policy);

/// What became of one name.
struct ForgottenVersions : Freed {
  storage::Reference reference;
  std::vector<storage::VersionRow> forgotten;  ///< ascending
  uint64_t kept = 0;                           ///< versions that stay
};

/// Takes from a name the versions that the policy does not keep, in one transaction. Tagged are the
/// states that another tag of the name stands for. Objects stay until gc, so the states can still
/// be named by id; with dry_run nothing is changed. Errors: kNotFound with the nearest names;
/// kInvalidArgument for a reference with a version and for a policy without a rule.
ForgottenVersions Forget(Library& library, const storage::Reference& reference,
                         const ForgetPolicy& policy, bool dry_run);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_FORGET_H_
