// The beat on the wire: an IP and a UDP header, then, in network order,
//
//    0 u32 magic "ksb", version | 4 u16 interval of this path, ms | 6 u16 worst lateness, ms
//    8 u64 session | 16 u64 sequence | 24 u32 number on this path | 28 u32 age of main's turn, ms
//   32 content, 0 to 512 bytes | seal, 16 bytes
//
// The seal covers both IP addresses, so that no beat counts on another path or the other way.
#ifndef KEEPSTATE_BEAT_WIRE_H_
#define KEEPSTATE_BEAT_WIRE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace keepstate {

constexpr uint32_t kBeatMagic = 0x6b736201;
constexpr size_t kIntervalAt = 4;
constexpr size_t kLatenessAt = 6;
constexpr size_t kSessionAt = 8;
constexpr size_t kSequenceAt = 16;
constexpr size_t kNumberAt = 24;
constexpr size_t kLoopAgeAt = 28;
constexpr size_t kBeatHeaderBytes = 32;
constexpr size_t kSessionBytes = 8;
constexpr size_t kMostContent = 512;
constexpr size_t kSealBytes = 16;
constexpr size_t kMostBeat = kBeatHeaderBytes + kMostContent + kSealBytes;

constexpr size_t kUdpBytes = 8;
constexpr size_t kMostPrefix = 40 + kUdpBytes;

inline void Put(uint8_t* at, size_t bytes, uint64_t value) {
  for (size_t i = bytes; i > 0; i--, value >>= 8) at[i - 1] = static_cast<uint8_t>(value);
}

inline uint64_t Get(const uint8_t* at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value = (value << 8) | at[i];
  return value;
}

inline uint64_t AtMost(uint64_t value, uint64_t most) { return std::min(value, most); }

// Ones' complement sum (RFC 1071) of bytes that begin at an even offset.
inline uint64_t OnesSum(const uint8_t* bytes, size_t length, uint64_t sum) {
  for (size_t i = 0; i + 1 < length; i += 2) sum += Get(bytes + i, 2);
  return length % 2 == 0 ? sum : sum + (static_cast<uint64_t>(bytes[length - 1]) << 8);
}

inline uint16_t FoldedSum(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// FNV-1a of 64 bits: finds accidents, and no malice.
inline uint64_t PlainChecksum(const uint8_t* bytes, size_t length, uint64_t hash) {
  for (size_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}
constexpr uint64_t kPlainChecksumStart = 0xcbf29ce484222325u;

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_WIRE_H_
