// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_NETWORK_ENVIRONMENT_H_
#define STATELIB_CLI_NETWORK_ENVIRONMENT_H_

#include <string>

namespace statelib::cli {

/// What proves the user to a remote, as the process was started with it; for S3-compatible stores
/// under the names that their own tools read. A plain value; empty means not set.
struct NetworkEnvironment {
  std::string statelib_token;
  std::string aws_access_key_id;
  std::string aws_secret_access_key;
  std::string aws_session_token;
  std::string aws_region;        ///< $AWS_REGION, else $AWS_DEFAULT_REGION
  std::string aws_endpoint_url;  ///< $AWS_ENDPOINT_URL_S3, else $AWS_ENDPOINT_URL

  static NetworkEnvironment FromProcess();
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_NETWORK_ENVIRONMENT_H_
