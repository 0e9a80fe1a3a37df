// The libuv handles of one polled socket, which outlive it where they must.
#ifndef KEEPSTATE_POLLER_H_
#define KEEPSTATE_POLLER_H_

#include <node_api.h>
#include <uv.h>

#include "batched_socket.h"

namespace keepstate {

// The libuv handles live on the heap because libuv may need them after the JavaScript object is
// gone.
struct Poller {
  uv_poll_t poll;
  uv_timer_t rest;
  napi_async_cleanup_hook_handle hook = nullptr;
  BatchedSocket* owner = nullptr;
  int open_handles = 2;
  bool closing = false;

  void Close() {
    if (closing) return;
    closing = true;
    owner = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&poll), OnClosed);
    uv_close(reinterpret_cast<uv_handle_t*>(&rest), OnClosed);
  }

  void SetReferenced(bool referenced) {
    for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&poll),
                                reinterpret_cast<uv_handle_t*>(&rest)}) {
      if (referenced) uv_ref(handle);
      else uv_unref(handle);
    }
  }

  static void OnClosed(uv_handle_t* handle) {
    Poller* poller = static_cast<Poller*>(handle->data);
    if (--poller->open_handles > 0) return;
    napi_remove_async_cleanup_hook(poller->hook);
    delete poller;
  }

  // The environment (main thread or worker) ends while the socket is open.
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
    Poller* poller = static_cast<Poller*>(data);
    if (poller->owner != nullptr) poller->owner->poller_ = nullptr;
    poller->Close();
  }
};

}  // namespace keepstate

#endif  // KEEPSTATE_POLLER_H_
