// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_AWS_SIGNATURE_H_
#define STATELIB_STATESTORE_REMOTE_AWS_SIGNATURE_H_

#include <map>
#include <string>

#include "core/base/byte_source.h"
#include "core/base/bytes.h"

// AWS Signature Version 4, as S3 wants it in the Authorization header.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
namespace statelib::remote {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< empty: none
  std::string region;
};

/// What is signed of a request.
struct AwsRequest {
  std::string method;
  std::string path;                            ///< encoded, from "/" on
  std::map<std::string, std::string> query;    ///< not encoded
  std::map<std::string, std::string> headers;  ///< names in lower case; "host" is there
  std::string payload_sha256;                  ///< hexadecimal
};

std::string Sha256Hex(ByteSpan bytes);
std::string Sha256Hex(const ByteSource& bytes);  ///< in blocks

/// The query as it stands in the URL and is signed: sorted and encoded; "" for none.
std::string AwsQuery(const std::map<std::string, std::string>& query);

/// "20130524T000000Z" for seconds since 1970.
std::string AwsTime(int64_t unix_seconds);

/// The value of the Authorization header. `time` is the x-amz-date header's. All headers that are
/// given are signed.
std::string AwsAuthorization(const AwsRequest& request, const AwsCredentials& credentials,
                             const std::string& time);

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_AWS_SIGNATURE_H_
