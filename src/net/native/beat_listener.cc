#include "beat_listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

namespace keepstate {

namespace {

constexpr size_t kCell = kMostPrefix + kMostBeat;

// IPv4 without options and fragments, IPv6 without extension headers.
bool IsUdp(const PathSettings& path, const uint8_t* ip) {
  if (!path.IsIpv4()) return ip[0] >> 4 == 6 && ip[6] == IPPROTO_UDP;
  return ip[0] == 0x45 && ip[9] == IPPROTO_UDP && (Get(ip + 6, 2) & 0x3fff) == 0;
}

// The beat inside a datagram between the path's two ends, the other way round; the filter of the
// socket asks the same.
Refusal Unwrap(const PathSettings& path, Bytes datagram, Bytes* beat) {
  const size_t ip_bytes = path.IpBytes();
  const uint8_t* ip = datagram.data;
  if (datagram.length < path.prefix_bytes) return kLength;
  const uint8_t* own = path.prefix.data();
  const Bytes addresses = path.Addresses();
  const size_t half = addresses.length / 2;
  const uint8_t* source = ip + (addresses.data - own);
  if (!IsUdp(path, ip) || memcmp(source, addresses.data + half, half) != 0 ||
      memcmp(source + half, addresses.data, half) != 0 ||
      Get(ip + ip_bytes + 2, 2) != Get(own + ip_bytes, 2)) {
    return kAddress;
  }
  const size_t udp_length = Get(ip + ip_bytes + 4, 2);
  if (udp_length < kUdpBytes + kBeatHeaderBytes + kSealBytes ||
      udp_length > kUdpBytes + kMostBeat || udp_length > datagram.length - ip_bytes) {
    return kLength;
  }
  *beat = {ip + path.prefix_bytes, udp_length - kUdpBytes};
  return kAccepted;
}

bool AreEqual(const uint8_t* a, const uint8_t* b, size_t length) {
  uint8_t difference = 0;
  for (size_t i = 0; i < length; i++) difference |= a[i] ^ b[i];
  return difference == 0;
}

}  // namespace

// One call of recvmmsg reads into these.
struct BeatListener::Cells {
  uint8_t bytes[kMostPerTick][kCell];
  sockaddr_ll from[kMostPerTick];
  iovec parts[kMostPerTick];
  mmsghdr messages[kMostPerTick];

  void Prepare(size_t count) {
    for (size_t i = 0; i < count; i++) {
      parts[i] = {bytes[i], kCell};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &from[i];
      messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

BeatListener::BeatListener() : cells_(new Cells()) {}
BeatListener::~BeatListener() = default;

bool HeardBeat::Replace(Bytes beat) {
  const auto same = [&](size_t at, size_t size) {
    return memcmp(bytes.data() + at, beat.data + at, size) == 0;
  };
  const bool is_same = length == beat.length && same(kSessionAt, kSessionBytes) &&
                       same(kBeatHeaderBytes, length - kBeatHeaderBytes);
  memcpy(bytes.data(), beat.data, beat.length);
  length = beat.length;
  return !is_same;
}

bool BeatListener::SetPeerSession(const uint8_t* session) {
  const bool is_same = has_session_ == (session != nullptr) &&
                       (session == nullptr || memcmp(session_.data(), session, kSessionBytes) == 0);
  if (is_same) return false;
  has_session_ = session != nullptr;
  if (has_session_) memcpy(session_.data(), session, kSessionBytes);
  peer_.length = 0;
  stranger_.length = 0;
  peer_changed_ = stranger_changed_ = false;
  return true;
}

void BeatListener::Read(BeatPath* path, size_t* share, BeatSeal* seal, uint64_t now) {
  if (path->settings().fd < 0) return;
  const size_t most = *share;
  cells_->Prepare(most);
  const int count = most == 0 ? 0
                              : recvmmsg(path->settings().fd, cells_->messages,
                                         static_cast<unsigned>(most), MSG_DONTWAIT, nullptr);
  if (count < 0) {
    // The kernel says once that the interface went down.
    if (errno != EAGAIN && errno != EINTR) path->Failed(errno);
    return path->Looked(false, now);
  }
  for (size_t i = 0; i < static_cast<size_t>(count); i++) {
    const size_t length = std::min<size_t>(cells_->messages[i].msg_len, kCell);
    if (Hear(path, {cells_->bytes[i], length}, seal, now) == kAccepted) {
      path->TakeLinkAddress(cells_->from[i]);
    }
  }
  *share -= static_cast<size_t>(count);
  path->Looked(*share == 0, now);
}

Refusal BeatListener::Hear(BeatPath* path, Bytes datagram, BeatSeal* seal, uint64_t now) {
  const Refusal refusal = Judge(path, datagram, seal, now);
  if (refusal != kAccepted) path->counts().refused[refusal]++;
  return refusal;
}

Refusal BeatListener::Judge(BeatPath* path, Bytes datagram, BeatSeal* seal, uint64_t now) {
  const PathSettings& settings = path->settings();
  Bytes beat = {};
  const Refusal unwrapped = Unwrap(settings, datagram, &beat);
  if (unwrapped != kAccepted) return unwrapped;
  if (Get(beat.data, 4) != kBeatMagic) return kFormat;
  const Bytes content = {beat.data, beat.length - kSealBytes};
  const Bytes addresses = {datagram.data + (settings.Addresses().data - settings.prefix.data()),
                           settings.Addresses().length};
  uint8_t expected[kSealBytes];
  if (!seal->Compute(addresses, content, expected) ||
      !AreEqual(expected, beat.data + content.length, kSealBytes)) {
    return kSealed;
  }
  if (!has_session_ || memcmp(beat.data + kSessionAt, session_.data(), kSessionBytes) != 0) {
    if (stranger_.Replace(content)) stranger_changed_ = true;
    return kSession;
  }
  const uint64_t sequence = Get(beat.data + kSequenceAt, 8);
  if (!path->HasSequence(sequence)) return kSequence;
  path->Accept(sequence, static_cast<uint32_t>(Get(beat.data + kNumberAt, 4)),
               static_cast<uint32_t>(Get(beat.data + kIntervalAt, 2)), now);
  // Another path may have brought a younger one: then this one says only that its path lives.
  if (peer_.length == 0 || sequence > peer_.Field(kSequenceAt, 8)) {
    if (peer_.Replace(content)) peer_changed_ = true;
    peer_heard_at_ = now;
  }
  return kAccepted;
}

bool BeatListener::TakePeerChange() {
  const bool changed = peer_changed_;
  peer_changed_ = false;
  return changed;
}

bool BeatListener::TakeStrangerChange() {
  const bool changed = stranger_changed_;
  stranger_changed_ = false;
  return changed;
}

}  // namespace keepstate
