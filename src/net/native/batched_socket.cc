#include "batched_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "napi_values.h"

namespace keepstate {

// The libuv handles live on the heap because libuv may need them after the JavaScript object is gone.
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

namespace {

napi_value Undefined(napi_env env) {
  napi_value result = nullptr;
  napi_get_undefined(env, &result);
  return result;
}

template <size_t Count>
struct Arguments {
  napi_env env;
  napi_value value[Count] = {};
  size_t count = Count;
  napi_value self = nullptr;

  Arguments(napi_env environment, napi_callback_info info) : env(environment) {
    napi_get_cb_info(env, info, &count, value, &self, nullptr);
  }

  BatchedSocket* Socket() const {
    void* data = nullptr;
    if (napi_unwrap(env, self, &data) != napi_ok) return nullptr;
    return static_cast<BatchedSocket*>(data);
  }

  int32_t Int(size_t i) const {
    int32_t result = 0;
    if (i < Count) napi_get_value_int32(env, value[i], &result);
    return result;
  }

  uint32_t Uint(size_t i) const {
    uint32_t result = 0;
    if (i < Count) napi_get_value_uint32(env, value[i], &result);
    return result;
  }

  // The memory of a Uint8Array or Uint32Array; false when the argument is none.
  bool Memory(size_t i, uint8_t** data, size_t* bytes) const {
    bool is_typed_array = false;
    if (napi_is_typedarray(env, value[i], &is_typed_array) != napi_ok || !is_typed_array) return false;
    napi_typedarray_type type;
    size_t length = 0;
    void* memory = nullptr;
    napi_get_typedarray_info(env, value[i], &type, &length, &memory, nullptr, nullptr);
    const size_t width = type == napi_uint32_array ? 4 : 1;
    if (width == 1 && type != napi_uint8_array) return false;
    *data = static_cast<uint8_t*>(memory);
    *bytes = length * width;
    return true;
  }
};

}  // namespace

BatchedSocket::BatchedSocket(napi_env env, int fd) : env_(env), fd_(fd) {}

// Runs in the finalizer: the object is being collected, or the environment ends with the socket open.
BatchedSocket::~BatchedSocket() {
  CloseAll();
  if (self_ != nullptr) napi_delete_reference(env_, self_);
}

napi_value BatchedSocket::Define(napi_env env) {
  const napi_property_descriptor methods[] = {
#define METHOD(name, function) \
  {name, nullptr, function, nullptr, nullptr, nullptr, napi_default_method, nullptr}
      METHOD("bind", Bind),
      METHOD("connect", Connect),
      METHOD("setOption", SetOption),
      METHOD("getOption", GetOption),
      METHOD("attachFilter", AttachFilter),
      METHOD("getSocketName", GetSocketName),
      METHOD("ioctl", Ioctl),
      METHOD("setRing", SetRing),
      METHOD("receive", Receive),
      METHOD("start", Start),
      METHOD("stop", Stop),
      METHOD("setReferenced", SetReferenced),
      METHOD("send", Send),
      METHOD("sendMany", SendMany),
      METHOD("duplicate", Duplicate),
      METHOD("close", Close),
#undef METHOD
  };
  napi_value constructor = nullptr;
  napi_define_class(env, "NativeSocket", NAPI_AUTO_LENGTH, New, nullptr,
                    sizeof(methods) / sizeof(methods[0]), methods, &constructor);
  return constructor;
}

// new NativeSocket(descriptor): takes ownership of a descriptor from openSocket().
napi_value BatchedSocket::New(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = new BatchedSocket(env, arguments.Int(0));
  const napi_status status = napi_wrap(
      env, arguments.self, socket,
      [](napi_env, void* data, void*) {
        BatchedSocket* ending = static_cast<BatchedSocket*>(data);
        ending->finalizing_ = true;
        delete ending;
      },
      nullptr,
      &socket->self_);
  if (status != napi_ok) {
    delete socket;
    napi_throw_error(env, nullptr, "cannot wrap the socket");
    return nullptr;
  }
  return arguments.self;
}

napi_value BatchedSocket::Bind(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* address;
  size_t length;
  if (socket == nullptr || !arguments.Memory(0, &address, &length)) return Number(env, EINVAL);
  const int result =
      bind(socket->fd_, reinterpret_cast<sockaddr*>(address), static_cast<socklen_t>(length));
  return Number(env, result < 0 ? errno : 0);
}

napi_value BatchedSocket::Connect(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* address;
  size_t length;
  if (socket == nullptr || !arguments.Memory(0, &address, &length)) return Number(env, EINVAL);
  const int result =
      connect(socket->fd_, reinterpret_cast<sockaddr*>(address), static_cast<socklen_t>(length));
  return Number(env, result < 0 ? errno : 0);
}

// setOption(level, name, bytes): errno.
napi_value BatchedSocket::SetOption(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* value;
  size_t length;
  if (socket == nullptr || !arguments.Memory(2, &value, &length)) return Number(env, EINVAL);
  // These two carry a pointer; attachFilter() passes one that is valid.
  const bool carries_pointer = arguments.Int(0) == SOL_SOCKET && arguments.Int(1) == SO_ATTACH_FILTER;
  if (carries_pointer) return Number(env, EINVAL);
  const int result = setsockopt(socket->fd_, arguments.Int(0), arguments.Int(1), value,
                                static_cast<socklen_t>(length));
  return Number(env, result < 0 ? errno : 0);
}

// getOption(level, name, into): length of the value, or a negative errno.
napi_value BatchedSocket::GetOption(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* value;
  size_t size;
  if (socket == nullptr || !arguments.Memory(2, &value, &size)) return Number(env, -EINVAL);
  socklen_t length = static_cast<socklen_t>(size);
  const int result =
      getsockopt(socket->fd_, arguments.Int(0), arguments.Int(1), value, &length);
  return Number(env, result < 0 ? -errno : static_cast<int32_t>(length));
}

// attachFilter(program): program is an array of struct sock_filter (8 bytes each); errno.
napi_value BatchedSocket::AttachFilter(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* program;
  size_t length;
  if (socket == nullptr || !arguments.Memory(0, &program, &length)) return Number(env, EINVAL);
  const size_t count = length / sizeof(sock_filter);
  if (length % sizeof(sock_filter) != 0 || count > UINT16_MAX) return Number(env, EINVAL);
  sock_fprog filter = {};
  filter.len = static_cast<unsigned short>(count);
  filter.filter = reinterpret_cast<sock_filter*>(program);
  const int result =
      setsockopt(socket->fd_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
  return Number(env, result < 0 ? errno : 0);
}

// getSocketName(into): length of the address, or a negative errno.
napi_value BatchedSocket::GetSocketName(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* address;
  size_t size;
  if (socket == nullptr || !arguments.Memory(0, &address, &size)) return Number(env, -EINVAL);
  socklen_t length = static_cast<socklen_t>(size);
  if (getsockname(socket->fd_, reinterpret_cast<sockaddr*>(address), &length) < 0) {
    return Number(env, -errno);
  }
  return Number(env, static_cast<int32_t>(length));
}

// ioctl(request, bytes): errno. For requests that read or write at most the 40 bytes of struct ifreq.
napi_value BatchedSocket::Ioctl(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* bytes;
  size_t length;
  if (socket == nullptr || !arguments.Memory(1, &bytes, &length) || length < 40) {
    return Number(env, EINVAL);
  }
  const int result = ioctl(socket->fd_, arguments.Uint(0), bytes);
  return Number(env, result < 0 ? errno : 0);
}

// setRing(arrayBuffer, cells, cellBytes, controlBytes, ignoresSenders): 0 or EINVAL. One buffer, in this order:
// cells x cellBytes | cells x 32 address | cells x controlBytes | u32 lengths[cells] | u32 flags[cells] |
// u32 addressLengths[cells] | u32 controlLengths[cells]
napi_value BatchedSocket::SetRing(napi_env env, napi_callback_info info) {
  Arguments<5> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  bool is_array_buffer = false;
  napi_is_arraybuffer(env, arguments.value[0], &is_array_buffer);
  if (socket == nullptr || !is_array_buffer || socket->ring_ != nullptr) return Number(env, EINVAL);
  void* memory = nullptr;
  size_t size = 0;
  napi_get_arraybuffer_info(env, arguments.value[0], &memory, &size);
  const size_t cells = arguments.Uint(1);
  const size_t cell_bytes = arguments.Uint(2);
  const size_t control_bytes = arguments.Uint(3);
  const size_t needed = cells * (cell_bytes + kAddressBytes + control_bytes + 4 * sizeof(uint32_t));
  if (cells == 0 || cells > 4096 || cell_bytes % 8 != 0 || control_bytes % 8 != 0 || size < needed) {
    return Number(env, EINVAL);
  }
  if (napi_create_reference(env, arguments.value[0], 1, &socket->ring_) != napi_ok) {
    return Number(env, EINVAL);
  }
  uint8_t* data = static_cast<uint8_t*>(memory);
  uint8_t* addresses = data + cells * cell_bytes;
  uint8_t* controls = addresses + cells * kAddressBytes;
  uint32_t* words = reinterpret_cast<uint32_t*>(controls + cells * control_bytes);
  socket->cells_ = cells;
  socket->cell_bytes_ = cell_bytes;
  socket->control_bytes_ = control_bytes;
  bool ignores_senders = false;
  napi_get_value_bool(env, arguments.value[4], &ignores_senders);
  socket->name_bytes_ = ignores_senders ? 0 : kAddressBytes;
  socket->lengths_ = words;
  socket->flags_ = words + cells;
  socket->address_lengths_ = words + 2 * cells;
  socket->control_lengths_ = words + 3 * cells;
  socket->messages_.assign(cells, mmsghdr{});
  socket->vectors_.resize(cells);
  for (size_t i = 0; i < cells; i++) {
    socket->vectors_[i] = {data + i * cell_bytes, cell_bytes};
    msghdr& header = socket->messages_[i].msg_hdr;
    header.msg_iov = &socket->vectors_[i];
    header.msg_iovlen = 1;
    header.msg_name = ignores_senders ? nullptr : addresses + i * kAddressBytes;
    header.msg_control = control_bytes > 0 ? controls + i * control_bytes : nullptr;
  }
  socket->dirty_ = cells;
  return Number(env, 0);
}

int BatchedSocket::ReceiveBatch() {
  if (fd_ < 0) return -EBADF;
  napi_value ring = nullptr;
  bool detached = true;
  if (ring_ == nullptr || napi_get_reference_value(env_, ring_, &ring) != napi_ok ||
      napi_is_detached_arraybuffer(env_, ring, &detached) != napi_ok || detached) {
    return -EFAULT;
  }
  for (size_t i = 0; i < dirty_; i++) {
    messages_[i].msg_hdr.msg_namelen = static_cast<socklen_t>(name_bytes_);
    messages_[i].msg_hdr.msg_controllen = control_bytes_;
  }
  dirty_ = 0;
  int count;
  do {
    count = recvmmsg(fd_, messages_.data(), static_cast<unsigned>(cells_), MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    const int code = errno;
    dirty_ = 1;  // the kernel may have touched the first header
    return code == EAGAIN || code == EWOULDBLOCK ? 0 : -code;
  }
  dirty_ = std::min(cells_, static_cast<size_t>(count) + 1);
  for (int i = 0; i < count; i++) {
    const msghdr& header = messages_[i].msg_hdr;
    lengths_[i] = messages_[i].msg_len;
    flags_[i] = static_cast<uint32_t>(header.msg_flags);
    address_lengths_[i] =
        static_cast<uint32_t>(std::min<size_t>(header.msg_namelen, name_bytes_));
    control_lengths_[i] = static_cast<uint32_t>(header.msg_controllen);
  }
  return count;
}

// receive(): datagrams now in the ring, 0 when nothing waits, or a negative errno.
napi_value BatchedSocket::Receive(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  return Number(env, socket == nullptr ? -EINVAL : socket->ReceiveBatch());
}

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

// At everyday rates nearly all of the cost is the wake-up: few datagrams may be worth a longer rest.
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
  // A failed connect is reported as POLLERR: whoever waits must look, or the poll would fire for ever.
  if (alive && writing_ && ((events & UV_WRITABLE) != 0 || status < 0)) {
    writing_ = false;
    alive = Notify(0);
  }
  // libuv reports POLLERR (an overrun, an ICMP error) as a failed status and stops the handle: reading
  // fetches and clears the error, UpdatePoll() below starts again.
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

// start(handler, wantRead, wantWrite, sliceMicroseconds, restMilliseconds, lightRestMilliseconds, restDatagrams): errno.
// handler(code): code > 0 datagrams are in the ring, code 0 the socket is writable (once), code < 0 a negative errno.
// Holds the object alive. With a rest, wake-ups that follow each other faster than that are spaced by it, and by less
// where more than restDatagrams (0: any number) would come meanwhile.
napi_value BatchedSocket::Start(napi_env env, napi_callback_info info) {
  Arguments<7> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  napi_valuetype type = napi_undefined;
  napi_typeof(env, arguments.value[0], &type);
  if (socket == nullptr || type != napi_function) return Number(env, EINVAL);
  if (socket->fd_ < 0) return Number(env, EBADF);
  bool want_read = false;
  bool want_write = false;
  napi_get_value_bool(env, arguments.value[1], &want_read);
  napi_get_value_bool(env, arguments.value[2], &want_write);
  if (want_read && socket->ring_ == nullptr) return Number(env, EINVAL);
  if (socket->handler_ != nullptr) {
    napi_delete_reference(env, socket->handler_);
  } else {
    napi_reference_ref(env, socket->self_, nullptr);
  }
  napi_create_reference(env, arguments.value[0], 1, &socket->handler_);
  socket->reading_ = want_read;
  socket->writing_ = want_write;
  socket->slice_nanoseconds_ = static_cast<uint64_t>(arguments.Uint(3)) * 1000;
  socket->rest_milliseconds_ = arguments.Uint(4);
  socket->light_rest_milliseconds_ = arguments.Uint(5);
  socket->rest_datagrams_ = arguments.Uint(6);
  return Number(env, socket->UpdatePoll());
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

napi_value BatchedSocket::Stop(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  if (socket != nullptr) socket->StopPolling();
  return Undefined(env);
}

// setReferenced(flag): whether a polled socket keeps the event loop (and so the process) alive.
napi_value BatchedSocket::SetReferenced(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  if (socket == nullptr) return Undefined(env);
  napi_get_value_bool(env, arguments.value[0], &socket->referenced_);
  if (socket->poller_ != nullptr) socket->poller_->SetReferenced(socket->referenced_);
  return Undefined(env);
}

// send(bytes, offset, length, address or undefined, segmentBytes): errno. With segmentBytes the kernel cuts the bytes into
// UDP datagrams of that size, the last may be shorter (UDP_SEGMENT): one walk through its stack for all of them.
napi_value BatchedSocket::Send(napi_env env, napi_callback_info info) {
  Arguments<5> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t* bytes;
  size_t size;
  if (socket == nullptr || !arguments.Memory(0, &bytes, &size)) return Number(env, EINVAL);
  const size_t offset = arguments.Uint(1);
  const size_t length = arguments.Uint(2);
  if (offset > size || length > size - offset) return Number(env, EINVAL);
  uint8_t* address = nullptr;
  size_t address_length = 0;
  if (!arguments.Memory(3, &address, &address_length)) address = nullptr;
  const uint32_t segment_bytes = arguments.Uint(4);
  if (segment_bytes > UINT16_MAX) return Number(env, EINVAL);
  iovec vector = {bytes + offset, length};
  msghdr message = {};
  message.msg_name = address;
  message.msg_namelen = static_cast<socklen_t>(address_length);
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {};
  if (segment_bytes > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const uint16_t value = static_cast<uint16_t>(segment_bytes);
    memcpy(CMSG_DATA(header), &value, sizeof(value));
  }
  ssize_t result;
  do {
    result = sendmsg(socket->fd_, &message, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return Number(env, result < 0 ? errno : 0);
}

// sendMany(bytes, offsets, lengths, count, address or undefined, errnoOut): number sent. errnoOut[0] says
// why the rest was not sent, 0 when all was.
napi_value BatchedSocket::SendMany(napi_env env, napi_callback_info info) {
  constexpr size_t kChunk = 128;
  Arguments<6> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  uint8_t *bytes, *offset_bytes, *length_bytes, *out;
  size_t size, offsets_size, lengths_size, out_size;
  if (socket == nullptr || !arguments.Memory(5, &out, &out_size) || out_size < 4) {
    return Number(env, -EINVAL);
  }
  uint32_t* error = reinterpret_cast<uint32_t*>(out);
  *error = EINVAL;
  if (!arguments.Memory(0, &bytes, &size) || !arguments.Memory(1, &offset_bytes, &offsets_size) ||
      !arguments.Memory(2, &length_bytes, &lengths_size)) {
    return Number(env, 0);
  }
  const uint32_t* offsets = reinterpret_cast<uint32_t*>(offset_bytes);
  const uint32_t* lengths = reinterpret_cast<uint32_t*>(length_bytes);
  const size_t count = arguments.Uint(3);
  if (count > offsets_size / 4 || count > lengths_size / 4) return Number(env, 0);
  for (size_t i = 0; i < count; i++) {
    if (offsets[i] > size || lengths[i] > size - offsets[i]) return Number(env, 0);
  }
  uint8_t* address = nullptr;
  size_t address_length = 0;
  if (!arguments.Memory(4, &address, &address_length)) address = nullptr;
  *error = 0;
  mmsghdr messages[kChunk];
  iovec vectors[kChunk];
  size_t sent = 0;
  while (sent < count) {
    const size_t chunk = std::min(kChunk, count - sent);
    for (size_t i = 0; i < chunk; i++) {
      vectors[i] = {bytes + offsets[sent + i], lengths[sent + i]};
      messages[i] = mmsghdr{};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = address;
      messages[i].msg_hdr.msg_namelen = static_cast<socklen_t>(address_length);
    }
    const int result = sendmmsg(socket->fd_, messages, static_cast<unsigned>(chunk), MSG_NOSIGNAL);
    if (result >= 0) {
      sent += static_cast<size_t>(result);
    } else if (errno != EINTR) {
      *error = static_cast<uint32_t>(errno);
      break;
    }
  }
  return Number(env, static_cast<int32_t>(sent));
}

void BatchedSocket::CloseAll() {
  StopPolling();
  if (poller_ != nullptr) poller_->Close();
  poller_ = nullptr;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  if (ring_ != nullptr) napi_delete_reference(env_, ring_);
  ring_ = nullptr;
}

// duplicate(): another descriptor of the same socket, owned by the caller, or a negative errno.
napi_value BatchedSocket::Duplicate(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  if (socket == nullptr) return Number(env, -EINVAL);
  const int result = fcntl(socket->fd_, F_DUPFD_CLOEXEC, 3);
  return Number(env, result < 0 ? -errno : result);
}

napi_value BatchedSocket::Close(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  BatchedSocket* socket = arguments.Socket();
  if (socket != nullptr) socket->CloseAll();
  return Undefined(env);
}

}  // namespace keepstate
