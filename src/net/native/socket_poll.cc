// Readiness: libuv wakes, batches are delivered in slices, and a socket under load rests between
// them.
#include <errno.h>

#include <algorithm>

#include "batched_socket.h"
#include "napi_values.h"
#include "poller.h"

namespace keepstate {

bool BatchedSocket::Notify(int code) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return false;
  napi_value handler = nullptr;
  napi_value receiver = nullptr;
  napi_value argument = Number(env_, code);
  napi_get_reference_value(env_, handler_, &handler);
  napi_get_global(env_, &receiver);
  napi_status status = napi_generic_failure;
  if (handler != nullptr) {
    status = napi_make_callback(env_, nullptr, receiver, handler, 1, &argument, nullptr);
  }
  if (status == napi_pending_exception) {
    napi_value exception = nullptr;
    if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) {
      status = napi_fatal_exception(env_, exception);
    }
  }
  napi_close_handle_scope(env_, scope);
  return status == napi_ok;
}

// Delivers batches until nothing waits or the slice is over. False when no more JavaScript can run.
bool BatchedSocket::Deliver(bool* drained, size_t* received) {
  const uint64_t end = uv_hrtime() + slice_nanoseconds_;
  *drained = false;
  while (reading_ && fd_ >= 0) {
    const int count = ReceiveBatch();
    if (count == 0) {
      *drained = true;
      return true;
    }
    if (count > 0) *received += static_cast<size_t>(count);
    if (count == -EBADF || count == -EFAULT || count == -EINVAL || count == -ENOTSOCK) reading_ = false;
    if (!Notify(count)) return false;
    if (count < 0 && count != -ENOBUFS) return true;
    if (count > 0 && static_cast<size_t>(count) < cells_) {
      *drained = true;
      return true;
    }
    if (uv_hrtime() >= end) return true;
  }
  return true;
}

// At everyday rates nearly all of the cost is the wake-up: few datagrams may be worth a longer
// rest.
constexpr size_t kLightBatch = 32;

// At the rate of the last pause, no more than `rest_datagrams_` are to come during this one.
uint64_t BatchedSocket::RestMilliseconds(uint64_t now, size_t received) const {
  const uint64_t rest = received < kLightBatch ? light_rest_milliseconds_ : rest_milliseconds_;
  if (rest_datagrams_ == 0 || received == 0) return rest;
  return std::min(rest, rest_datagrams_ * ((now - last_wake_) / 1000) / received / 1000);
}

// The socket is readable or writable (`events`), failed (`status`), or its rest is over (`rested`).
void BatchedSocket::OnWake(int status, int events, bool rested) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  // Keeps the JavaScript object, and with it `this`, alive while callbacks run.
  napi_value self = nullptr;
  napi_get_reference_value(env_, self_, &self);
  bool alive = self != nullptr;
  // A failed connect is reported as POLLERR: whoever waits must look, or the poll would fire for
  // ever.
  if (alive && writing_ && ((events & UV_WRITABLE) != 0 || status < 0)) {
    writing_ = false;
    alive = Notify(0);
  }
  // libuv reports POLLERR (an overrun, an ICMP error) as a failed status and stops the handle:
  // reading fetches and clears the error, UpdatePoll() below starts again.
  bool drained = false;
  size_t received = 0;
  if (alive) alive = Deliver(&drained, &received);
  if (!alive) reading_ = writing_ = false;
  const uint64_t now = uv_hrtime();
  const uint64_t rest = RestMilliseconds(now, received);
  const bool is_busy = rested || now - last_wake_ < rest * 1000000;
  last_wake_ = now;
  const bool was_resting = resting_;
  resting_ = reading_ && poller_ != nullptr && rest > 0 && drained && received > 0 && is_busy;
  if (status < 0 || !reading_ || (events & UV_WRITABLE) != 0 || resting_ != was_resting) UpdatePoll();
  if (resting_ && poller_ != nullptr) {
    uv_timer_start(
        &poller_->rest,
        [](uv_timer_t* timer) {
          BatchedSocket* owner = static_cast<Poller*>(timer->data)->owner;
          if (owner != nullptr) owner->OnWake(0, 0, true);
        },
        rest, 0);
  }
  napi_close_handle_scope(env_, scope);
}

// Brings the libuv handle in line with what is wanted; errno.
int BatchedSocket::UpdatePoll() {
  if (fd_ < 0 || (!reading_ && !writing_)) {
    if (poller_ != nullptr) uv_poll_stop(&poller_->poll);
    return 0;
  }
  if (poller_ == nullptr) {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return EINVAL;
    Poller* poller = new Poller();
    const int result = uv_poll_init(loop, &poller->poll, fd_);
    if (result < 0) {
      delete poller;
      return -result;
    }
    uv_timer_init(loop, &poller->rest);
    poller->poll.data = poller;
    poller->rest.data = poller;
    poller->owner = this;
    napi_add_async_cleanup_hook(env_, Poller::OnEnvironmentEnd, poller, &poller->hook);
    poller_ = poller;
    if (!referenced_) poller->SetReferenced(false);
  }
  const int wanted = (reading_ && !resting_ ? UV_READABLE : 0) | (writing_ ? UV_WRITABLE : 0);
  if (wanted == 0) {
    uv_poll_stop(&poller_->poll);
    return 0;
  }
  const int result =
      uv_poll_start(&poller_->poll, wanted, [](uv_poll_t* handle, int status, int events) {
        BatchedSocket* owner = static_cast<Poller*>(handle->data)->owner;
        if (owner != nullptr) owner->OnWake(status, events, false);
      });
  return result < 0 ? -result : 0;
}

// start(handler, wantRead, wantWrite, sliceMicroseconds, restMilliseconds, lightRestMilliseconds,
// restDatagrams): errno.
// handler(code): code > 0 datagrams are in the ring, code 0 the socket is writable (once), code < 0
// a negative errno. Holds the object alive. With a rest, wake-ups that follow each other faster
// than that are spaced by it, and by less where more than restDatagrams (0: any number) would come
// meanwhile.
int BatchedSocket::Start(const Arguments& call) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, call.value[0], &type);
  if (type != napi_function) return EINVAL;
  if (fd_ < 0) return EBADF;
  bool want_read = false;
  bool want_write = false;
  napi_get_value_bool(env_, call.value[1], &want_read);
  napi_get_value_bool(env_, call.value[2], &want_write);
  if (want_read && ring_ == nullptr) return EINVAL;
  if (handler_ != nullptr) {
    napi_delete_reference(env_, handler_);
  } else {
    napi_reference_ref(env_, self_, nullptr);
  }
  napi_create_reference(env_, call.value[0], 1, &handler_);
  reading_ = want_read;
  writing_ = want_write;
  slice_nanoseconds_ = static_cast<uint64_t>(call.Uint(3)) * 1000;
  rest_milliseconds_ = call.Uint(4);
  light_rest_milliseconds_ = call.Uint(5);
  rest_datagrams_ = call.Uint(6);
  return UpdatePoll();
}

void BatchedSocket::StopPolling() {
  reading_ = writing_ = resting_ = false;
  if (poller_ != nullptr) {
    uv_poll_stop(&poller_->poll);
    uv_timer_stop(&poller_->rest);
  }
  if (handler_ != nullptr) {
    napi_delete_reference(env_, handler_);
    handler_ = nullptr;
    if (!finalizing_) napi_reference_unref(env_, self_, nullptr);
  }
}

void BatchedSocket::Stop(const Arguments& call) {
  StopPolling();
}

// setReferenced(flag): whether a polled socket keeps the event loop (and so the process) alive.
void BatchedSocket::SetReferenced(const Arguments& call) {
  napi_get_value_bool(env_, call.value[0], &referenced_);
  if (poller_ != nullptr) poller_->SetReferenced(referenced_);
}

}  // namespace keepstate
