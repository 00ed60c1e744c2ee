// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/aws_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace statelib::remote {
namespace {

using testing::EndsWith;

// The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const AwsCredentials kExample = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                 "", "us-east-1"};
constexpr const char* kTime = "20130524T000000Z";

AwsRequest ExampleRequest() {
  AwsRequest request;
  request.method = "GET";
  request.path = "/";
  request.payload_sha256 = Sha256Hex(ByteSpan());
  request.headers = {{"host", "examplebucket.s3.amazonaws.com"},
                     {"x-amz-content-sha256", request.payload_sha256},
                     {"x-amz-date", kTime}};
  return request;
}

TEST(AwsSignature, OfAGetWithARangeIsThePublishedOne) {
  AwsRequest request = ExampleRequest();
  request.path = "/test.txt";
  request.headers["range"] = "bytes=0-9";
  EXPECT_EQ(AwsAuthorization(request, kExample, kTime),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(AwsSignature, OfAListingIsThePublishedOne) {
  AwsRequest request = ExampleRequest();
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(AwsQuery(request.query), "max-keys=2&prefix=J");
  EXPECT_THAT(AwsAuthorization(request, kExample, kTime),
              EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(AwsSignature, TimeIsUtc) { EXPECT_EQ(AwsTime(1369353600), kTime); }

}  // namespace
}  // namespace statelib::remote
