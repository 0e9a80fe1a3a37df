// Signals that Node.js has no name for: the real-time ones.
#pragma once

#include <node_api.h>
#include <uv.h>

namespace keepstate {

// watchSignal(number, handler): errno. Calls handler() for each delivery, until the environment
// ends.
napi_value WatchSignal(napi_env env, napi_callback_info info);

}  // namespace keepstate
