// The ring that the caller owns, and one recvmmsg into it.
#include <errno.h>

#include <algorithm>

#include "batched_socket.h"

namespace keepstate {

// setRing(arrayBuffer, cells, cellBytes, controlBytes, ignoresSenders): 0 or EINVAL. One buffer, in
// this order: cells x cellBytes | cells x 32 address | cells x controlBytes | u32 lengths[cells] |
// u32 flags[cells] | u32 addressLengths[cells] | u32 controlLengths[cells]
int BatchedSocket::SetRing(const Arguments& call) {
  bool is_array_buffer = false;
  napi_is_arraybuffer(env_, call.value[0], &is_array_buffer);
  if (!is_array_buffer || ring_ != nullptr) return EINVAL;
  void* memory = nullptr;
  size_t size = 0;
  napi_get_arraybuffer_info(env_, call.value[0], &memory, &size);
  const size_t cells = call.Uint(1);
  const size_t cell_bytes = call.Uint(2);
  const size_t control_bytes = call.Uint(3);
  const size_t needed = cells * (cell_bytes + kAddressBytes + control_bytes + 4 * sizeof(uint32_t));
  if (cells == 0 || cells > 4096 || cell_bytes % 8 != 0 || control_bytes % 8 != 0 || size < needed) {
    return EINVAL;
  }
  if (napi_create_reference(env_, call.value[0], 1, &ring_) != napi_ok) return EINVAL;
  uint8_t* data = static_cast<uint8_t*>(memory);
  uint8_t* addresses = data + cells * cell_bytes;
  uint8_t* controls = addresses + cells * kAddressBytes;
  uint32_t* words = reinterpret_cast<uint32_t*>(controls + cells * control_bytes);
  cells_ = cells;
  cell_bytes_ = cell_bytes;
  control_bytes_ = control_bytes;
  const bool ignores_senders = call.Bool(4);
  name_bytes_ = ignores_senders ? 0 : kAddressBytes;
  lengths_ = words;
  flags_ = words + cells;
  address_lengths_ = words + 2 * cells;
  control_lengths_ = words + 3 * cells;
  messages_.assign(cells, mmsghdr{});
  vectors_.resize(cells);
  for (size_t i = 0; i < cells; i++) {
    vectors_[i] = {data + i * cell_bytes, cell_bytes};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_name = ignores_senders ? nullptr : addresses + i * kAddressBytes;
    header.msg_control = control_bytes > 0 ? controls + i * control_bytes : nullptr;
  }
  dirty_ = cells;
  return 0;
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
int BatchedSocket::Receive(const Arguments& call) {
  return ReceiveBatch();
}

}  // namespace keepstate
