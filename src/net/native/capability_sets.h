// Capabilities of one thread (capabilities(7)): what is left of its sets.
#pragma once

#include <cstdint>

namespace keepstate {

constexpr int kMostCapabilities = 64;

struct Kept {
  uint32_t words[2];
  bool Has(int capability) const { return (words[capability >> 5] >> (capability & 31)) & 1; }
};

// Both are for the calling thread alone and return an errno. They make nothing but system calls, so
// that a signal handler may call them.

// What root gets by execve(2) is its bounding set. Without CAP_SETPCAP that stays, and so does the
// rest of it.
int NarrowBoundingSet(const Kept& kept);

// Permitted and effective; and, for a user other than root, what execve(2) hands on.
int NarrowThread(const Kept& kept, bool is_handed_on);

}  // namespace keepstate
