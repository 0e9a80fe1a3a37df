// Sending: one datagram, one cut into many by the kernel, or many in one call.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include <algorithm>

#include "batched_socket.h"

namespace keepstate {

// send(bytes, offset, length, address or undefined, segmentBytes): errno. With segmentBytes the
// kernel cuts the bytes into UDP datagrams of that size, the last may be shorter (UDP_SEGMENT): one
// walk through its stack for all of them.
int BatchedSocket::Send(const Arguments& call) {
  uint8_t* bytes;
  size_t size;
  if (!call.Memory(0, &bytes, &size)) return EINVAL;
  const size_t offset = call.Uint(1);
  const size_t length = call.Uint(2);
  if (offset > size || length > size - offset) return EINVAL;
  uint8_t* address = nullptr;
  size_t address_length = 0;
  if (!call.Memory(3, &address, &address_length)) address = nullptr;
  const uint32_t segment_bytes = call.Uint(4);
  if (segment_bytes > UINT16_MAX) return EINVAL;
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
    result = sendmsg(fd_, &message, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? errno : 0;
}

// sendMany(bytes, offsets, lengths, count, address or undefined, errnoOut): number sent.
// errnoOut[0] says why the rest was not sent, 0 when all was.
int BatchedSocket::SendMany(const Arguments& call) {
  constexpr size_t kChunk = 128;
  uint8_t *bytes, *offset_bytes, *length_bytes, *out;
  size_t size, offsets_size, lengths_size, out_size;
  if (!call.Memory(5, &out, &out_size) || out_size < 4) {
    return -EINVAL;
  }
  uint32_t* error = reinterpret_cast<uint32_t*>(out);
  *error = EINVAL;
  if (!call.Memory(0, &bytes, &size) || !call.Memory(1, &offset_bytes, &offsets_size) ||
      !call.Memory(2, &length_bytes, &lengths_size)) {
    return 0;
  }
  const uint32_t* offsets = reinterpret_cast<uint32_t*>(offset_bytes);
  const uint32_t* lengths = reinterpret_cast<uint32_t*>(length_bytes);
  const size_t count = call.Uint(3);
  if (count > offsets_size / 4 || count > lengths_size / 4) return 0;
  for (size_t i = 0; i < count; i++) {
    if (offsets[i] > size || lengths[i] > size - offsets[i]) return 0;
  }
  uint8_t* address = nullptr;
  size_t address_length = 0;
  if (!call.Memory(4, &address, &address_length)) address = nullptr;
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
    const int result = sendmmsg(fd_, messages, static_cast<unsigned>(chunk), MSG_NOSIGNAL);
    if (result >= 0) {
      sent += static_cast<size_t>(result);
    } else if (errno != EINTR) {
      *error = static_cast<uint32_t>(errno);
      break;
    }
  }
  return static_cast<int32_t>(sent);
}

}  // namespace keepstate
