// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_S3_REMOTE_H_
#define STATELIB_STATESTORE_REMOTE_S3_REMOTE_H_

#include <memory>
#include <string>

#include "core/base/waiting.h"
#include "statestore/remote/aws_signature.h"
#include "statestore/remote/remote.h"

namespace statelib::remote {

/// A remote in a bucket of an S3-compatible store. `url` is s3://BUCKET[/PREFIX], `endpoint` the
/// store's address; an empty one is Amazon's of the region. Requests name the bucket in the path.
/// The store has to honour `If-None-Match: *` on PUT, for without it two that push at once would
/// overwrite each other; that is tried out before the first publication. A silent store is waited
/// for as `waits` says. Asks nothing yet. Errors: kInvalidArgument for a URL of another form or
/// missing credentials.
std::unique_ptr<Remote> OpenS3Remote(const std::string& url, const std::string& endpoint,
                                     const AwsCredentials& credentials, const Waits& waits);

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_S3_REMOTE_H_
