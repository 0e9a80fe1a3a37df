// Options, filters and ioctl requests: numbers and bytes pass through, and nothing else that could
// be an address.
#include <errno.h>
#include <linux/filter.h>
#include <sys/ioctl.h>

#include "batched_socket.h"

namespace keepstate {

namespace {

// The value of these two is a struct sock_fprog, which points to the program: bytes from JavaScript
// would be taken for an address. AttachFilter() passes one that is valid.
bool CarriesPointer(int level, int name) {
  return level == SOL_SOCKET && (name == SO_ATTACH_FILTER || name == SO_ATTACH_REUSEPORT_CBPF);
}

// The kernel takes the length for a number of instructions here, and writes eight bytes for each:
// beyond the caller's memory.
bool CountsInstructions(int level, int name) {
  return level == SOL_SOCKET && name == SO_GET_FILTER;
}

}  // namespace

// setOption(level, name, bytes): errno.
int BatchedSocket::SetOption(const Arguments& call) {
  uint8_t* value;
  size_t length;
  if (!call.Memory(2, &value, &length)) return EINVAL;
  if (CarriesPointer(call.Int(0), call.Int(1))) return EINVAL;
  const int result =
      setsockopt(fd_, call.Int(0), call.Int(1), value, static_cast<socklen_t>(length));
  return result < 0 ? errno : 0;
}

// getOption(level, name, into): length of the value, or a negative errno.
int BatchedSocket::GetOption(const Arguments& call) {
  uint8_t* value;
  size_t size;
  if (!call.Memory(2, &value, &size)) return -EINVAL;
  if (CountsInstructions(call.Int(0), call.Int(1))) return -EINVAL;
  socklen_t length = static_cast<socklen_t>(size);
  const int result = getsockopt(fd_, call.Int(0), call.Int(1), value, &length);
  return result < 0 ? -errno : static_cast<int32_t>(length);
}

// attachFilter(program): program is an array of struct sock_filter (8 bytes each); errno.
int BatchedSocket::AttachFilter(const Arguments& call) {
  uint8_t* program;
  size_t length;
  if (!call.Memory(0, &program, &length)) return EINVAL;
  const size_t count = length / sizeof(sock_filter);
  if (length % sizeof(sock_filter) != 0 || count > UINT16_MAX) return EINVAL;
  sock_fprog filter = {};
  filter.len = static_cast<unsigned short>(count);
  filter.filter = reinterpret_cast<sock_filter*>(program);
  const int result = setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
  return result < 0 ? errno : 0;
}

// ioctl(request, bytes): errno. For requests that read or write at most the 40 bytes of struct
// ifreq.
int BatchedSocket::Ioctl(const Arguments& call) {
  uint8_t* bytes;
  size_t length;
  if (!call.Memory(1, &bytes, &length) || length < 40) return EINVAL;
  const int result = ioctl(fd_, call.Uint(0), bytes);
  return result < 0 ? errno : 0;
}

}  // namespace keepstate
