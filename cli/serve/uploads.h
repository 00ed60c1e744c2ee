// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_UPLOADS_H_
#define STATELIB_CLI_SERVE_UPLOADS_H_

#include "cli/serve/http_message.h"
#include "statestore/storage/repository.h"

// Objects that come in pieces. The pieces lie in the library's tmp/ until the object is whole and
// its hash was found to be its id.
namespace statelib::cli {

/// How far an upload has come.
struct UploadPosition {
  uint64_t offset = 0;
  bool complete = false;
};

UploadPosition FindUpload(const storage::Repository& repository, const storage::ObjectId& id);

/// Appends a body to an upload that has come to `offset`, and stores the object when it has
/// `length` bytes. What came before a body was cut off is kept. Errors: kMismatch when the upload
/// is elsewhere; kInvalidArgument for more bytes than `length`; kBusy when another client is at the
/// same object; kCorrupt, and the upload is gone, for another hash; kIo.
UploadPosition AppendUpload(storage::Repository& repository, const storage::ObjectId& id,
                            uint64_t offset, uint64_t length, const BodyReader& read);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_UPLOADS_H_
