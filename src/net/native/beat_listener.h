// What is believed of the peer: the newest beat of its session, over all paths.
#ifndef KEEPSTATE_BEAT_LISTENER_H_
#define KEEPSTATE_BEAT_LISTENER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "beat_path.h"
#include "beat_seal.h"
#include "beat_wire.h"

namespace keepstate {

// Header and content of a beat, without the seal; 0 bytes: none yet.
struct HeardBeat {
  std::array<uint8_t, kMostBeat> bytes = {};
  size_t length = 0;

  uint64_t Field(size_t at, size_t size) const { return Get(bytes.data() + at, size); }
  // True where the session or the content are others than before.
  bool Replace(Bytes beat);
};

class BeatListener {
 public:
  // Datagrams that are looked at per path and tick.
  static constexpr size_t kMostPerTick = 50;

  BeatListener();
  ~BeatListener();

  // nullptr: nobody is believed. Whether it is another one than before.
  bool SetPeerSession(const uint8_t* session);
  // All that waits on the path's socket, as far as this tick's share goes.
  void Read(BeatPath* path, size_t* share, BeatSeal* seal, uint64_t now);
  // One IP datagram as it came in on this path.
  Refusal Hear(BeatPath* path, Bytes datagram, BeatSeal* seal, uint64_t now);

  const HeardBeat& peer() const { return peer_; }
  const HeardBeat& stranger() const { return stranger_; }
  uint64_t peer_heard_at() const { return peer_heard_at_; }
  // Whether there is something new since the last call.
  bool TakePeerChange();
  bool TakeStrangerChange();

 private:
  struct Cells;

  Refusal Judge(BeatPath* path, Bytes datagram, BeatSeal* seal, uint64_t now);

  const std::unique_ptr<Cells> cells_;
  std::array<uint8_t, kSessionBytes> session_ = {};
  bool has_session_ = false;
  HeardBeat peer_, stranger_;
  bool peer_changed_ = false, stranger_changed_ = false;
  uint64_t peer_heard_at_ = 0;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_LISTENER_H_
