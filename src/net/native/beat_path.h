// One way to the peer: its packet socket, what was sent and heard on it, and for how long nothing.
#ifndef KEEPSTATE_BEAT_PATH_H_
#define KEEPSTATE_BEAT_PATH_H_

#include <linux/if_packet.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "beat_seal.h"
#include "beat_wire.h"

namespace keepstate {

// The order is that of `pathStates` in src/net/beat/beatReport.ts.
enum class PathState : uint32_t { kUnknown, kLiving, kSilent, kBlind, kDown };

// Why a datagram counts for nothing; the order is that of `refusals` in the same file.
enum Refusal : uint32_t {
  kAccepted, kLength, kAddress, kFormat, kSealed, kSession, kSequence, kRefusals
};

struct PathSettings {
  int fd = -1;  // owned by the path
  // IP and UDP header, lengths and checksums left out; its length tells the IP version.
  std::array<uint8_t, kMostPrefix> prefix = {};
  size_t prefix_bytes = 0;
  sockaddr_ll link = {};
  uint32_t divider = 1;  // beats on each so many ticks
  uint32_t limit_milliseconds = 0;
  uint32_t least_beats = 0;

  size_t IpBytes() const { return prefix_bytes - kUdpBytes; }
  bool IsIpv4() const { return prefix_bytes == 20 + kUdpBytes; }
  // Both IP addresses, source first.
  Bytes Addresses() const {
    const size_t at = IsIpv4() ? 12 : 8;
    return {prefix.data() + at, IpBytes() - at};
  }
};

struct PathCounts {
  uint64_t sent = 0, send_errors = 0, last_errno = 0, accepted = 0, lost = 0, silences = 0;
  uint64_t blind_ticks = 0;
  std::array<uint64_t, kRefusals> refused = {};
};

class BeatPath {
 public:
  explicit BeatPath(const PathSettings& settings) : settings_(settings) {}
  BeatPath(const BeatPath&) = delete;
  BeatPath& operator=(const BeatPath&) = delete;
  ~BeatPath();

  void SetLimits(uint32_t limit_milliseconds, uint32_t least_beats);
  // Ended in order: unknown until it is heard again; a new session counts from anew.
  void Forget(bool is_new_session);

  // Sends a beat: header and content in `bytes`, with kSealBytes of room behind it.
  void Send(uint8_t* bytes, size_t length, uint64_t interval_milliseconds, BeatSeal* seal);
  // A beat that was verified: numbers and times of this path.
  void Accept(uint64_t sequence, uint32_t number, uint32_t interval_milliseconds, uint64_t now);
  // After a look at the socket: whether the tick's share of datagrams was used up.
  void Looked(bool used_up, uint64_t now);
  void Failed(int code);
  // Time in which this thread did not run is no silence.
  void Pause(uint64_t nanoseconds, uint64_t now);

  PathState State() const;
  bool IsWaitedFor() const { return was_heard_ && !is_silent_ && !is_blind_ && !is_down_; }
  bool HasSequence(uint64_t sequence) const { return sequence > last_sequence_; }
  uint64_t LimitNanoseconds() const;
  // When silence is to be judged, and half of it; 0 where nothing is waited for.
  uint64_t Deadline() const;
  uint64_t HalfDeadline() const;
  bool IsLate(uint64_t now) const { return IsWaitedFor() && now >= HalfDeadline(); }
  // Past its limit, the sockets being empty: silent, or down where this end has no carrier.
  void Judge(uint64_t now);
  // A path that cannot send or hears nothing: whether its own carrier is the reason.
  void LookAtCarrier();

  const PathSettings& settings() const { return settings_; }
  const PathCounts& counts() const { return counts_; }
  PathCounts& counts() { return counts_; }
  uint32_t peer_interval() const { return peer_interval_; }
  // Nanoseconds since the last beat that counted; 0 before the first.
  uint64_t heard_at() const { return heard_at_; }
  bool is_down() const { return is_down_; }
  // Where the peer's frames come from is where its beats are sent.
  void TakeLinkAddress(const sockaddr_ll& from);
  bool IsDue(uint64_t tick);

 private:
  bool HasCarrier() const;

  PathSettings settings_;
  PathCounts counts_;
  bool was_heard_ = false, is_silent_ = false, is_blind_ = false, is_down_ = false;
  uint64_t heard_at_ = 0;
  uint64_t silent_since_ = 0;  // from here on silence counts
  uint64_t last_sequence_ = 0;
  uint64_t next_tick_ = 0;
  uint32_t last_number_ = 0, sent_number_ = 0, peer_interval_ = 0;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_PATH_H_
