// Entry of the addon: opens and locks descriptors, moves the calling thread between network
// namespaces, and exports the socket class. Context-aware: one instance per environment, no global
// state.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <cstdint>

#include "aes_gcm.h"
#include "batched_socket.h"
#include "beat_binding.h"
#include "beat_seal.h"
#include "napi_values.h"
#include "privileges.h"
#include "signal_watch.h"

namespace {

using keepstate::Number;

// openSocket(domain, type, protocol): a non-blocking descriptor, or a negative errno.
napi_value OpenSocket(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  size_t count = 3;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  int32_t domain = 0, type = 0, protocol = 0;
  napi_get_value_int32(env, arguments[0], &domain);
  napi_get_value_int32(env, arguments[1], &type);
  napi_get_value_int32(env, arguments[2], &protocol);
  const int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  return Number(env, fd < 0 ? -errno : fd);
}

// enterNetworkNamespace(path): descriptor of the namespace the thread was in, or a negative errno.
napi_value EnterNetworkNamespace(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  char path[PATH_MAX];
  size_t length = 0;
  if (napi_get_value_string_utf8(env, argument, path, sizeof(path), &length) != napi_ok) {
    return Number(env, -EINVAL);
  }
  const int before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (before < 0) return Number(env, -errno);
  const int wanted = open(path, O_RDONLY | O_CLOEXEC);
  int code = wanted < 0 ? errno : 0;
  if (wanted >= 0 && setns(wanted, CLONE_NEWNET) < 0) code = errno;
  if (wanted >= 0) close(wanted);
  if (code == 0) return Number(env, before);
  close(before);
  return Number(env, -code);
}

// restoreNetworkNamespace(descriptor, doReturn): goes back if asked and closes the descriptor;
// errno.
napi_value RestoreNetworkNamespace(napi_env env, napi_callback_info info) {
  napi_value arguments[2] = {};
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  int32_t fd = -1;
  bool do_return = false;
  napi_get_value_int32(env, arguments[0], &fd);
  napi_get_value_bool(env, arguments[1], &do_return);
  const int code = do_return && setns(fd, CLONE_NEWNET) < 0 ? errno : 0;
  close(fd);
  return Number(env, code);
}

// The one argument; -1 where it is no number.
int32_t Descriptor(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  int32_t fd = -1;
  napi_get_value_int32(env, argument, &fd);
  return fd;
}

// lockFile(descriptor): flock(2), exclusive and without waiting; errno (EWOULDBLOCK: somebody else
// has the lock).
napi_value LockFile(napi_env env, napi_callback_info info) {
  const int32_t fd = Descriptor(env, info);
  return Number(env, flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0);
}

// peerUser(descriptor): the user id of who connected to a UNIX stream socket (SO_PEERCRED, as it
// was then), or a negative errno. An id above 2^31 - 1 is -EOVERFLOW.
napi_value PeerUser(napi_env env, napi_callback_info info) {
  const int32_t fd = Descriptor(env, info);
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return Number(env, -errno);
  return Number(env, peer.uid > INT32_MAX ? -EOVERFLOW : static_cast<int32_t>(peer.uid));
}

void Export(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
  napi_set_named_property(env, exports, name, value);
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_set_named_property(env, exports, "NativeSocket", keepstate::BatchedSocket::Define(env));
  napi_set_named_property(env, exports, "RecordCipher", keepstate::DefineRecordCipher(env));
  napi_set_named_property(env, exports, "NativeBeatThread", keepstate::BeatBinding::Define(env));
  Export(env, exports, "openSocket", OpenSocket);
  Export(env, exports, "enterNetworkNamespace", EnterNetworkNamespace);
  Export(env, exports, "restoreNetworkNamespace", RestoreNetworkNamespace);
  Export(env, exports, "lockFile", LockFile);
  Export(env, exports, "peerUser", PeerUser);
  Export(env, exports, "hmacSha256", keepstate::HmacSha256);
  Export(env, exports, "watchSignal", keepstate::WatchSignal);
  Export(env, exports, "executeWith", keepstate::ExecuteWith);
  Export(env, exports, "narrowThreads", keepstate::NarrowThreads);
  return exports;
}
