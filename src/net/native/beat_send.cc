// A beat leaves outside the ruleset, so that the headers are written here.
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "beat_path.h"

namespace keepstate {

namespace {

// Lengths and checksums of a datagram whose other bytes are all there.
void Complete(uint8_t* datagram, const PathSettings& path, size_t length) {
  const size_t ip_bytes = path.IpBytes();
  const size_t udp_length = length - ip_bytes;
  if (path.IsIpv4()) {
    Put(datagram + 2, 2, length);
    Put(datagram + 10, 2, 0);
    Put(datagram + 10, 2, FoldedSum(OnesSum(datagram, ip_bytes, 0)));
  } else {
    Put(datagram + 4, 2, udp_length);
  }
  uint8_t* udp = datagram + ip_bytes;
  Put(udp + 4, 2, udp_length);
  Put(udp + 6, 2, 0);
  const Bytes addresses = path.Addresses();
  const uint64_t pseudo = OnesSum(addresses.data, addresses.length, udp_length + IPPROTO_UDP);
  const uint16_t checksum = FoldedSum(OnesSum(udp, udp_length, pseudo));
  // 0 would mean that there is none (RFC 768).
  Put(udp + 6, 2, checksum == 0 ? 0xffff : checksum);
}

}  // namespace

void BeatPath::Send(uint8_t* bytes, size_t length, uint64_t interval_milliseconds,
                    BeatSeal* seal) {
  Put(bytes + kIntervalAt, 2, AtMost(interval_milliseconds, UINT16_MAX));
  Put(bytes + kNumberAt, 4, ++sent_number_);
  if (!seal->Compute(settings_.Addresses(), {bytes, length}, bytes + length)) {
    counts_.send_errors++;
    counts_.last_errno = ENOSYS;
    return;
  }
  uint8_t datagram[kMostPrefix + kMostBeat];
  const size_t whole = settings_.prefix_bytes + length + kSealBytes;
  memcpy(datagram, settings_.prefix.data(), settings_.prefix_bytes);
  memcpy(datagram + settings_.prefix_bytes, bytes, length + kSealBytes);
  Complete(datagram, settings_, whole);
  const sockaddr* to = reinterpret_cast<const sockaddr*>(&settings_.link);
  if (sendto(settings_.fd, datagram, whole, MSG_DONTWAIT, to, sizeof(settings_.link)) >= 0) {
    counts_.sent++;
    return;
  }
  counts_.send_errors++;
  Failed(errno);
}

}  // namespace keepstate
