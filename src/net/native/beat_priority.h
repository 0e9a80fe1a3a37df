// One real-time step below the main thread, if that has one, and not for long above 2 % of a core.
#ifndef KEEPSTATE_BEAT_PRIORITY_H_
#define KEEPSTATE_BEAT_PRIORITY_H_

#include <sched.h>
#include <sys/types.h>

#include <cstdint>

namespace keepstate {

class BeatPriority {
 public:
  explicit BeatPriority(pid_t main_thread) : main_thread_(main_thread) {}

  // Called in the thread itself, on each of its wake-ups.
  void Update(uint64_t now);

  // SCHED_OTHER, SCHED_FIFO or SCHED_RR, and its priority, as the thread has them.
  int policy() const { return policy_; }
  int priority() const { return priority_; }
  // Of the kernel's refusal; 0 where it did as asked.
  int refusal() const { return refusal_; }
  // Seconds that used more than their share.
  uint64_t overruns() const { return overruns_; }
  // Nanoseconds of CPU time of the thread.
  uint64_t used() const { return used_; }

 private:
  void Follow(bool is_ordinary);
  void Set(int policy, int priority);

  const pid_t main_thread_;
  int policy_ = SCHED_OTHER;
  int priority_ = 0;
  int refusal_ = 0;
  uint64_t overruns_ = 0;
  uint64_t used_ = 0;
  uint64_t second_began_ = 0;
  uint64_t used_before_ = 0;
  bool is_over_ = false;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_PRIORITY_H_
