// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/aws_signature.h"

#include <fmt/chrono.h>
#include <sodium.h>

#include <cstdlib>
#include <ctime>
#include <vector>

#include "statestore/remote/http_client.h"

namespace statelib::remote {

namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";

const unsigned char* Raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Hex(std::string_view bytes) {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), Raw(bytes), bytes.size());
  hex.pop_back();
  return hex;
}

std::string Hmac(std::string_view key, std::string_view message) {
  std::string code(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, Raw(key), key.size());
  crypto_auth_hmacsha256_update(&state, Raw(message), message.size());
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(code.data()));
  return code;
}

}  // namespace

std::string Sha256Hex(ByteSpan bytes) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), Raw(AsText(bytes)),
                     bytes.size());
  return Hex(hash);
}

std::string Sha256Hex(const ByteSource& bytes) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  bytes.ForEachBlock(
      [&](ByteSpan block) { crypto_hash_sha256_update(&state, Raw(AsText(block)), block.size()); });
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(hash.data()));
  return Hex(hash);
}

std::string AwsQuery(const std::map<std::string, std::string>& query) {
  std::string text;
  for (const auto& [name, value] : query)
    text += (text.empty() ? "" : "&") + UrlEncoded(name) + "=" + UrlEncoded(value);
  return text;
}

std::string AwsTime(int64_t unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:%Y%m%dT%H%M%SZ}", parts);
}

std::string AwsAuthorization(const AwsRequest& request, const AwsCredentials& credentials,
                             const std::string& time) {
  std::string names;
  std::string canonical =
      request.method + "\n" + request.path + "\n" + AwsQuery(request.query) + "\n";
  for (const auto& [name, value] : request.headers) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + request.payload_sha256;

  const std::string date = time.substr(0, 8);
  const std::string scope = date + "/" + credentials.region + "/s3/aws4_request";
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, Sha256Hex(AsBytes(canonical)));
  std::string key = "AWS4" + credentials.secret_access_key;
  for (const std::string& part :
       {date, credentials.region, std::string("s3"), std::string("aws4_request")}) {
    key = Hmac(key, part);
  }
  return fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                     credentials.access_key_id, scope, names, Hex(Hmac(key, to_sign)));
}

}  // namespace statelib::remote
