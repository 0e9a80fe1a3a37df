// A process that goes on with fewer capabilities, and as another user.
#pragma once

#include <node_api.h>

namespace keepstate {

// executeWith(capabilities, identity, words, environment): errno; does not return where it worked.
// capabilities: Uint32Array [low, high], all that is left. identity: Uint32Array [uid, gid,
// supplementary groups ...], or empty: the user stays. words: string[], the program's path first.
napi_value ExecuteWith(napi_env env, napi_callback_info info);

// narrowThreads(capabilities): errno. The same for each thread of this process, which goes on; where
// it fails, some may have fewer.
napi_value NarrowThreads(napi_env env, napi_callback_info info);

}  // namespace keepstate
