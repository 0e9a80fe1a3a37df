// What a path is: unknown, living, silent, blind or down.
#include "beat_path.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "beat_clock.h"

namespace keepstate {

BeatPath::~BeatPath() {
  if (settings_.fd >= 0) close(settings_.fd);
}

void BeatPath::SetLimits(uint32_t limit_milliseconds, uint32_t least_beats) {
  settings_.limit_milliseconds = limit_milliseconds;
  settings_.least_beats = least_beats;
}

void BeatPath::Forget(bool is_new_session) {
  was_heard_ = is_silent_ = false;
  if (is_new_session) last_sequence_ = 0;
}

void BeatPath::Accept(uint64_t sequence, uint32_t number, uint32_t interval_milliseconds,
                      uint64_t now) {
  const uint32_t step = number - last_number_;
  // A number that does not grow is a peer that began anew, and says nothing of loss.
  if (was_heard_ && step > 0 && step < (1u << 31)) counts_.lost += step - 1;
  counts_.accepted++;
  last_sequence_ = sequence;
  last_number_ = number;
  peer_interval_ = interval_milliseconds;
  was_heard_ = true;
  is_silent_ = is_down_ = false;
  heard_at_ = silent_since_ = now;
}

void BeatPath::Looked(bool used_up, uint64_t now) {
  if (used_up) counts_.blind_ticks++;
  // What was not looked at may have been the peer's.
  if (used_up || is_blind_) silent_since_ = now;
  is_blind_ = used_up;
}

void BeatPath::Failed(int code) {
  counts_.last_errno = static_cast<uint64_t>(code);
  LookAtCarrier();
}

void BeatPath::Pause(uint64_t nanoseconds, uint64_t now) {
  silent_since_ = std::min(now, silent_since_ + nanoseconds);
}

PathState BeatPath::State() const {
  if (is_down_) return PathState::kDown;
  if (is_blind_) return PathState::kBlind;
  if (!was_heard_) return PathState::kUnknown;
  return is_silent_ ? PathState::kSilent : PathState::kLiving;
}

uint64_t BeatPath::LimitNanoseconds() const {
  const uint64_t beats = static_cast<uint64_t>(settings_.least_beats) * peer_interval_;
  return std::max<uint64_t>(settings_.limit_milliseconds, beats) * kMillisecond;
}

uint64_t BeatPath::Deadline() const {
  return IsWaitedFor() ? silent_since_ + LimitNanoseconds() : 0;
}

uint64_t BeatPath::HalfDeadline() const {
  return IsWaitedFor() ? silent_since_ + LimitNanoseconds() / 2 : 0;
}

void BeatPath::Judge(uint64_t now) {
  if (!IsWaitedFor() || now < Deadline()) return;
  LookAtCarrier();
  if (is_down_) return;
  is_silent_ = true;
  counts_.silences++;
}

void BeatPath::LookAtCarrier() {
  const bool was_down = is_down_;
  is_down_ = settings_.fd >= 0 && !HasCarrier();
  // Whatever is heard afterwards begins anew: nothing that was lost meanwhile is the peer's fault.
  if (is_down_ || was_down) was_heard_ = is_silent_ = false;
}

// The interface may have got another name, or be gone.
bool BeatPath::HasCarrier() const {
  ifreq request = {};
  request.ifr_ifindex = settings_.link.sll_ifindex;
  if (ioctl(settings_.fd, SIOCGIFNAME, &request) < 0) return false;
  if (ioctl(settings_.fd, SIOCGIFFLAGS, &request) < 0) return false;
  return (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

void BeatPath::TakeLinkAddress(const sockaddr_ll& from) {
  if (from.sll_halen == 0 || from.sll_halen > sizeof(from.sll_addr)) return;
  settings_.link.sll_halen = from.sll_halen;
  memcpy(settings_.link.sll_addr, from.sll_addr, from.sll_halen);
}

bool BeatPath::IsDue(uint64_t tick) {
  if (settings_.prefix_bytes == 0 || settings_.fd < 0 || tick < next_tick_) return false;
  next_tick_ = tick + settings_.divider;
  return true;
}

}  // namespace keepstate
