#include "signal_watch.h"

#include <errno.h>

#include "napi_values.h"

namespace keepstate {

namespace {

// On the heap because libuv needs the handle until it is closed.
struct Watch {
  uv_signal_t signal;
  napi_env env = nullptr;
  napi_ref handler = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;

  static void OnSignal(uv_signal_t* handle, int) {
    Watch* watch = static_cast<Watch*>(handle->data);
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(watch->env, &scope) != napi_ok) return;
    napi_value handler = nullptr;
    napi_value receiver = nullptr;
    napi_get_reference_value(watch->env, watch->handler, &handler);
    napi_get_global(watch->env, &receiver);
    // Runs what the handler leaves for afterwards (nextTick, promises), too.
    if (napi_make_callback(watch->env, nullptr, receiver, handler, 0, nullptr, nullptr) ==
        napi_pending_exception) {
      napi_value exception = nullptr;
      if (napi_get_and_clear_last_exception(watch->env, &exception) == napi_ok) {
        napi_fatal_exception(watch->env, exception);
      }
    }
    napi_close_handle_scope(watch->env, scope);
  }

  static void OnClosed(uv_handle_t* handle) {
    Watch* watch = static_cast<Watch*>(handle->data);
    if (watch->hook != nullptr) napi_remove_async_cleanup_hook(watch->hook);
    delete watch;
  }

  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
    Watch* watch = static_cast<Watch*>(data);
    napi_delete_reference(watch->env, watch->handler);
    uv_close(reinterpret_cast<uv_handle_t*>(&watch->signal), OnClosed);
  }
};

}  // namespace

napi_value WatchSignal(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  int32_t number = 0;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, arguments[1], &type);
  uv_loop_t* loop = nullptr;
  if (napi_get_value_int32(env, arguments[0], &number) != napi_ok || type != napi_function ||
      napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return Number(env, EINVAL);
  }
  Watch* watch = new Watch();
  int result = uv_signal_init(loop, &watch->signal);
  if (result < 0) {
    delete watch;
    return Number(env, -result);
  }
  watch->signal.data = watch;
  watch->env = env;
  result = uv_signal_start(&watch->signal, Watch::OnSignal, number);
  if (result < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(&watch->signal), Watch::OnClosed);
    return Number(env, -result);
  }
  // Waiting for a signal keeps no process alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(&watch->signal));
  napi_create_reference(env, arguments[1], 1, &watch->handler);
  napi_add_async_cleanup_hook(env, Watch::OnEnvironmentEnd, watch, &watch->hook);
  return Number(env, 0);
}

}  // namespace keepstate
