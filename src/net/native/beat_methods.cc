// What JavaScript sets, one value or path at a time. Each takes effect with the next tick.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mutex>

#include "beat_binding.h"

namespace keepstate {

namespace {

using Guard = std::lock_guard<InheritingMutex>;

bool ReadLink(const Arguments& call, size_t argument, sockaddr_ll* link) {
  uint8_t* bytes;
  size_t length;
  if (!call.Memory(argument, &bytes, &length) || length != sizeof(*link)) return false;
  memcpy(link, bytes, length);
  return link->sll_halen <= sizeof(link->sll_addr);
}

bool HasPrefix(const Arguments& call, size_t argument, PathSettings* settings) {
  uint8_t* bytes;
  size_t length;
  if (!call.Memory(argument, &bytes, &length)) return false;
  if (length != 20 + kUdpBytes && length != 40 + kUdpBytes) return false;
  memcpy(settings->prefix.data(), bytes, length);
  settings->prefix_bytes = length;
  return true;
}

}  // namespace

BeatPath* BeatBinding::PathAt(const Arguments& call) {
  return call.Uint(0) < kMostPaths ? thread_.paths[call.Uint(0)].get() : nullptr;
}

// setBeat(content, standingContent, standingAfterMilliseconds, offset, bits): what each beat says
// from now on, and what is said and done while the main loop stands still (struct Standing).
int BeatBinding::SetBeat(const Arguments& call) {
  uint8_t *usual, *standing;
  size_t usual_length, standing_length;
  if (!call.Memory(0, &usual, &usual_length)) return EINVAL;
  if (!call.Memory(1, &standing, &standing_length)) return EINVAL;
  if (usual_length > kMostContent || standing_length > kMostContent) return EMSGSIZE;
  const Guard guard(thread_.mutex);
  const auto set = [](SaidBeat* said, const uint8_t* content, size_t length) {
    memcpy(said->bytes.data() + kBeatHeaderBytes, content, length);
    said->length = kBeatHeaderBytes + length;
  };
  set(&thread_.beat, usual, usual_length);
  set(&thread_.standing.beat, standing, standing_length);
  thread_.standing.after = call.Uint(2) * kMillisecond;
  thread_.standing.offset = call.Uint(3);
  thread_.standing.bits = static_cast<uint8_t>(call.Uint(4));
  return 0;
}

// setKey(key): zero bytes for none. The caller's bytes are wiped. Each path is unknown until a beat
// under the new key was heard.
int BeatBinding::SetKey(const Arguments& call) {
  uint8_t* key;
  size_t length;
  if (!call.Memory(0, &key, &length)) return EINVAL;
  const Guard guard(thread_.mutex);
  const int result = thread_.seal.SetKey({key, length});
  explicit_bzero(key, length);
  for (const auto& path : thread_.paths) {
    if (path != nullptr) path->Forget(false);
  }
  return result;
}

// setSessions(own, peer): 8 bytes each; no bytes for a peer that nobody is believed to be.
int BeatBinding::SetSessions(const Arguments& call) {
  uint8_t *own, *peer;
  size_t own_length, peer_length;
  if (!call.Memory(0, &own, &own_length) || own_length != kSessionBytes) return EINVAL;
  if (!call.Memory(1, &peer, &peer_length)) return EINVAL;
  if (peer_length != 0 && peer_length != kSessionBytes) return EINVAL;
  const Guard guard(thread_.mutex);
  memcpy(thread_.session.data(), own, kSessionBytes);
  if (!thread_.listener.SetPeerSession(peer_length == 0 ? nullptr : peer)) return 0;
  for (const auto& path : thread_.paths) {
    if (path != nullptr) path->Forget(true);
  }
  return 0;
}

// setLoopLimits(ownMilliseconds, peerMilliseconds): 0 is never told.
int BeatBinding::SetLoopLimits(const Arguments& call) {
  const Guard guard(thread_.mutex);
  thread_.own_limit = call.Uint(0) * kMillisecond;
  thread_.peer_limit = call.Uint(1);
  return 0;
}

// setProbe(descriptor, link, mark): before start(), because the thread waits for the descriptor
// outside the mutex. It belongs to the thread, whatever the answer.
int BeatBinding::SetProbe(const Arguments& call) {
  sockaddr_ll link;
  uint8_t* mark;
  size_t length;
  const bool is_valid = loop_ == nullptr && ReadLink(call, 1, &link) &&
                        call.Memory(2, &mark, &length) && length == kSessionBytes;
  if (!is_valid) {
    if (call.Int(0) >= 0) close(call.Int(0));
    return EINVAL;
  }
  thread_.probe.Open(call.Int(0), link, Get(mark, kSessionBytes));
  return 0;
}

// setPath(index, descriptor, prefix, link, divider, limitMilliseconds, leastBeats): the descriptor
// belongs to the thread, whatever the answer; -1: the path has no socket.
int BeatBinding::SetPath(const Arguments& call) {
  PathSettings settings;
  settings.fd = call.Int(1);
  settings.divider = call.Uint(4);
  settings.limit_milliseconds = call.Uint(5);
  settings.least_beats = call.Uint(6);
  const bool is_valid = call.Uint(0) < kMostPaths && settings.divider > 0 &&
                        HasPrefix(call, 2, &settings) && ReadLink(call, 3, &settings.link);
  if (!is_valid) {
    if (settings.fd >= 0) close(settings.fd);
    return EINVAL;
  }
  const Guard guard(thread_.mutex);
  thread_.paths[call.Uint(0)] = std::make_unique<BeatPath>(settings);
  return 0;
}

int BeatBinding::SetPathLimits(const Arguments& call) {
  const Guard guard(thread_.mutex);
  BeatPath* path = PathAt(call);
  if (path == nullptr) return ENOENT;
  path->SetLimits(call.Uint(1), call.Uint(2));
  return 0;
}

int BeatBinding::ForgetPath(const Arguments& call) {
  const Guard guard(thread_.mutex);
  BeatPath* path = PathAt(call);
  if (path == nullptr) return ENOENT;
  path->Forget(false);
  return 0;
}

int BeatBinding::RemovePath(const Arguments& call) {
  const Guard guard(thread_.mutex);
  if (PathAt(call) == nullptr) return ENOENT;
  thread_.paths[call.Uint(0)].reset();
  return 0;
}

}  // namespace keepstate
