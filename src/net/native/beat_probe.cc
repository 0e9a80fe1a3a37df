#include "beat_probe.h"

#include <sys/socket.h>
#include <unistd.h>

namespace keepstate {

BeatProbe::~BeatProbe() {
  if (fd_ >= 0) close(fd_);
}

void BeatProbe::Open(int fd, const sockaddr_ll& link, uint64_t mark) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  link_ = link;
  mark_ = mark;
  is_under_way_ = false;
}

bool BeatProbe::Send() {
  if (is_under_way_) return true;
  const Frame frame = {mark_, sent_ + 1};
  const sockaddr* to = reinterpret_cast<const sockaddr*>(&link_);
  if (fd_ < 0 || sendto(fd_, &frame, sizeof(frame), MSG_DONTWAIT, to, sizeof(link_)) < 0) {
    failed_++;
    return false;
  }
  sent_++;
  is_under_way_ = true;
  return true;
}

// Other processes of this kind probe on the same loop-back: a bounded look at what came.
bool BeatProbe::CameThrough() {
  bool found = false;
  for (int i = 0; i < 16; i++) {
    Frame frame = {};
    const ssize_t length = recv(fd_, &frame, sizeof(frame), MSG_DONTWAIT);
    if (length < 0) break;
    found = found || (is_under_way_ && length == sizeof(frame) && frame.mark == mark_ &&
                      frame.number == sent_);
  }
  if (found) is_under_way_ = false;
  return found;
}

}  // namespace keepstate
