#include "batched_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <type_traits>

#include "napi_values.h"
#include "poller.h"

namespace keepstate {

BatchedSocket::BatchedSocket(napi_env env, int fd) : env_(env), fd_(fd) {}

// Runs in the finalizer: the object is being collected, or the environment ends with the socket
// open.
BatchedSocket::~BatchedSocket() {
  CloseAll();
  if (self_ != nullptr) napi_delete_reference(env_, self_);
}

// What every method begins with: its arguments, and the socket that it was called on. `kOtherwise`
// is the answer to a call on anything else: EINVAL, or -EINVAL where the method's own failures are
// negative.
template <auto Method, int kOtherwise>
napi_value BatchedSocket::Enter(napi_env env, napi_callback_info info) {
  const Arguments call(env, info);
  void* data = nullptr;
  const bool is_socket = napi_unwrap(env, call.self, &data) == napi_ok;
  BatchedSocket* socket = static_cast<BatchedSocket*>(data);
  if constexpr (std::is_void_v<decltype((socket->*Method)(call))>) {
    if (is_socket) (socket->*Method)(call);
    return Undefined(env);
  } else {
    return Number(env, is_socket ? (socket->*Method)(call) : kOtherwise);
  }
}

napi_value BatchedSocket::Define(napi_env env) {
  const napi_property_descriptor methods[] = {
#define METHOD(name, method, otherwise)                                                      \
  {name, nullptr, Enter<&BatchedSocket::method, otherwise>, nullptr, nullptr, nullptr,       \
   napi_default_method, nullptr}
      METHOD("bind", Bind, EINVAL),
      METHOD("connect", Connect, EINVAL),
      METHOD("setOption", SetOption, EINVAL),
      METHOD("getOption", GetOption, -EINVAL),
      METHOD("attachFilter", AttachFilter, EINVAL),
      METHOD("getSocketName", GetSocketName, -EINVAL),
      METHOD("ioctl", Ioctl, EINVAL),
      METHOD("setRing", SetRing, EINVAL),
      METHOD("receive", Receive, -EINVAL),
      METHOD("start", Start, EINVAL),
      METHOD("stop", Stop, EINVAL),
      METHOD("setReferenced", SetReferenced, EINVAL),
      METHOD("send", Send, EINVAL),
      METHOD("sendMany", SendMany, -EINVAL),
      METHOD("duplicate", Duplicate, -EINVAL),
      METHOD("close", Close, EINVAL),
#undef METHOD
  };
  napi_value constructor = nullptr;
  napi_define_class(env, "NativeSocket", NAPI_AUTO_LENGTH, New, nullptr,
                    sizeof(methods) / sizeof(methods[0]), methods, &constructor);
  return constructor;
}

// new NativeSocket(descriptor): takes ownership of a descriptor from openSocket().
napi_value BatchedSocket::New(napi_env env, napi_callback_info info) {
  const Arguments call(env, info);
  BatchedSocket* socket = new BatchedSocket(env, call.Int(0));
  const napi_status status = napi_wrap(
      env, call.self, socket,
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
  return call.self;
}

int BatchedSocket::Bind(const Arguments& call) {
  uint8_t* address;
  size_t length;
  if (!call.Memory(0, &address, &length)) return EINVAL;
  const int result =
      bind(fd_, reinterpret_cast<sockaddr*>(address), static_cast<socklen_t>(length));
  return result < 0 ? errno : 0;
}

int BatchedSocket::Connect(const Arguments& call) {
  uint8_t* address;
  size_t length;
  if (!call.Memory(0, &address, &length)) return EINVAL;
  const int result =
      connect(fd_, reinterpret_cast<sockaddr*>(address), static_cast<socklen_t>(length));
  return result < 0 ? errno : 0;
}

// getSocketName(into): length of the address, or a negative errno.
int BatchedSocket::GetSocketName(const Arguments& call) {
  uint8_t* address;
  size_t size;
  if (!call.Memory(0, &address, &size)) return -EINVAL;
  socklen_t length = static_cast<socklen_t>(size);
  const int result = getsockname(fd_, reinterpret_cast<sockaddr*>(address), &length);
  return result < 0 ? -errno : static_cast<int32_t>(length);
}

// duplicate(): another descriptor of the same socket, owned by the caller, or a negative errno.
int BatchedSocket::Duplicate(const Arguments& call) {
  const int result = fcntl(fd_, F_DUPFD_CLOEXEC, 3);
  return result < 0 ? -errno : result;
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

void BatchedSocket::Close(const Arguments& call) {
  CloseAll();
}

}  // namespace keepstate
