// Time and exclusion of the beat thread.
#ifndef KEEPSTATE_BEAT_CLOCK_H_
#define KEEPSTATE_BEAT_CLOCK_H_

#include <pthread.h>
#include <time.h>

#include <cstdint>

namespace keepstate {

constexpr uint64_t kMillisecond = 1000000;
constexpr uint64_t kSecond = 1000 * kMillisecond;

inline uint64_t ReadClock(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecond + static_cast<uint64_t>(now.tv_nsec);
}

// Nanoseconds since the machine started; the clock of libuv.
inline uint64_t Monotonic() { return ReadClock(CLOCK_MONOTONIC); }

// Whoever holds it inherits the priority of who waits for it.
class InheritingMutex {
 public:
  InheritingMutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  ~InheritingMutex() { pthread_mutex_destroy(&mutex_); }
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_CLOCK_H_
