// The yardstick of the beat thread: each 20 ms one sealed datagram of 200 bytes on each interface, and
// nothing else. beat INTERFACE ...: runs until it is ended.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MOST 64

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void block(uint32_t h[8], const uint8_t *p) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
  }
  memcpy(s, h, sizeof(s));
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
    uint32_t t2 = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 28);
    s[4] += t1;
    s[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) h[i] += s[i];
}

// `before` bytes, a multiple of 64, were hashed already.
static void finish(uint32_t h[8], const uint8_t *bytes, size_t length, size_t before, uint8_t out[32]) {
  uint8_t last[128] = {0};
  size_t whole = length / 64 * 64, rest = length - whole, size = rest + 9 > 64 ? 128 : 64;
  for (size_t at = 0; at < whole; at += 64) block(h, bytes + at);
  memcpy(last, bytes + whole, rest);
  last[rest] = 0x80;
  uint64_t bits = (before + length) * 8;
  for (int i = 0; i < 8; i++) last[size - 1 - i] = (uint8_t)(bits >> 8 * i);
  for (size_t at = 0; at < size; at += 64) block(h, last + at);
  for (int i = 0; i < 32; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

int main(int count, char **names) {
  uint32_t inner[8], outer[8];
  uint8_t pad[64], packet[28 + 200 + 16] = {0x45, 0xc0}, digest[32];
  memset(pad, 0x36 ^ 0x5a, 64);
  memcpy(inner, start, 32);
  block(inner, pad);
  memset(pad, 0x5c ^ 0x5a, 64);
  memcpy(outer, start, 32);
  block(outer, pad);
  int sockets[MOST], paths = 0;
  struct sockaddr_ll to[MOST];
  for (int i = 1; i < count && paths < MOST; i++, paths++) {
    sockets[paths] = socket(AF_PACKET, SOCK_DGRAM, 0);
    memset(&to[paths], 0, sizeof(to[paths]));
    to[paths].sll_family = AF_PACKET;
    to[paths].sll_protocol = htons(ETH_P_IP);
    to[paths].sll_ifindex = (int)if_nametoindex(names[i]);
    to[paths].sll_halen = 6;
    memset(to[paths].sll_addr, 0xff, 6);
  }
  int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec period = {{0, 20000000}, {0, 20000000}};
  timerfd_settime(timer, 0, &period, NULL);
  puts("ready");
  fflush(stdout);
  for (uint64_t ticks; read(timer, &ticks, sizeof(ticks)) == sizeof(ticks);) {
    for (int i = 0; i < paths; i++) {
      uint32_t state[8];
      packet[28 + 23]++;
      memcpy(state, inner, 32);
      finish(state, packet + 28, 200, 64, digest);
      memcpy(state, outer, 32);
      finish(state, digest, 32, 64, digest);
      memcpy(packet + 228, digest, 16);
      if (sendto(sockets[i], packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&to[i], sizeof(to[i])) < 0) return 1;
    }
  }
  return 0;
}
