// A frame through the loop-back: where it does not come through, this machine takes in no frames,
// and the peer's silence says nothing.
#ifndef KEEPSTATE_BEAT_PROBE_H_
#define KEEPSTATE_BEAT_PROBE_H_

#include <linux/if_packet.h>

#include <cstdint>

namespace keepstate {

class BeatProbe {
 public:
  BeatProbe() = default;
  BeatProbe(const BeatProbe&) = delete;
  BeatProbe& operator=(const BeatProbe&) = delete;
  ~BeatProbe();

  // A packet socket on the loop-back, owned from now on; `mark` tells this process's frames.
  void Open(int fd, const sockaddr_ll& link, uint64_t mark);
  // Sends one unless one is under way. False: there is no loop-back, or it is down.
  bool Send();
  // True once for the frame that was sent last.
  bool CameThrough();

  int fd() const { return fd_; }
  bool is_under_way() const { return is_under_way_; }
  void GiveUp() { is_under_way_ = false; }
  uint64_t sent() const { return sent_; }
  uint64_t failed() const { return failed_; }

 private:
  struct Frame {
    uint64_t mark;
    uint64_t number;
  };

  int fd_ = -1;
  sockaddr_ll link_ = {};
  uint64_t mark_ = 0;
  uint64_t sent_ = 0;
  uint64_t failed_ = 0;
  bool is_under_way_ = false;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_PROBE_H_
