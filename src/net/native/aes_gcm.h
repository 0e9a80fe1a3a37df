// AES-128-GCM over whole records, by the OpenSSL that the program brings along.
#pragma once

#include <node_api.h>

namespace keepstate {

// The class RecordCipher: new RecordCipher(key), seal(records, length, clearBytes),
// open(record, clearBytes, into). Undefined where the program exports no OpenSSL.
napi_value DefineRecordCipher(napi_env env);

}  // namespace keepstate
