#include "beat_priority.h"

#include <errno.h>
#include <pthread.h>

#include <algorithm>

#include "beat_clock.h"

namespace keepstate {

namespace {

// Of a second: 2 % of a core.
constexpr uint64_t kMostPerSecond = kSecond / 50;

}  // namespace

// Main's own priority is set by another program (chrt), some time after the start.
void BeatPriority::Update(uint64_t now) {
  used_ = ReadClock(CLOCK_THREAD_CPUTIME_ID);
  if (!is_over_ && used_ - used_before_ > kMostPerSecond) {
    is_over_ = true;
    overruns_++;
    second_began_ = now;
    Follow(true);
  }
  if (second_began_ != 0 && now - second_began_ < kSecond) return;
  is_over_ = false;
  second_began_ = now;
  used_before_ = used_;
  Follow(false);
}

void BeatPriority::Follow(bool is_ordinary) {
  const int policy = sched_getscheduler(main_thread_) & ~SCHED_RESET_ON_FORK;
  sched_param main = {};
  const bool is_real_time = (policy == SCHED_FIFO || policy == SCHED_RR) &&
                            sched_getparam(main_thread_, &main) == 0;
  if (is_ordinary || !is_real_time) return Set(SCHED_OTHER, 0);
  Set(policy, std::max(1, main.sched_priority - 1));
}

void BeatPriority::Set(int policy, int priority) {
  if (policy == policy_ && priority == priority_) return;
  sched_param wanted = {};
  wanted.sched_priority = priority;
  refusal_ = pthread_setschedparam(pthread_self(), policy, &wanted);
  if (refusal_ != 0) return;
  policy_ = policy;
  priority_ = priority;
}

}  // namespace keepstate
