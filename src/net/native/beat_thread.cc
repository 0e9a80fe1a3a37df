// Life of the thread: its timer, its waiting, and the order of a wake-up.
#include "beat_thread.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <mutex>

namespace keepstate {

namespace {

constexpr size_t kStackBytes = 256 * 1024;

timespec Time(uint64_t nanoseconds) {
  return {static_cast<time_t>(nanoseconds / kSecond), static_cast<long>(nanoseconds % kSecond)};
}

}  // namespace

int BeatThread::Start(uint64_t interval_milliseconds, BeatLoopWatch* loop) {
  if (is_running_) return EALREADY;
  loop_ = loop;
  interval_ = interval_milliseconds * kMillisecond;
  is_stopping_ = false;
  timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (timer_ < 0 || stop_ < 0) {
    const int code = errno;
    Stop();
    return code;
  }
  began_ = Monotonic() - tick_ * interval_;
  itimerspec period = {};
  period.it_interval = Time(interval_);
  period.it_value = Time(began_ + (tick_ + 1) * interval_);
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &period, nullptr);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // Signals are the main thread's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&thread_, &attributes, Run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  is_running_ = code == 0;
  if (code != 0) Stop();
  else pthread_setname_np(thread_, "keepstate-beat");
  return code;
}

void BeatThread::Stop() {
  if (is_running_) {
    is_stopping_ = true;
    eventfd_write(stop_, 1);
    pthread_join(thread_, nullptr);
    is_running_ = false;
  }
  if (timer_ >= 0) close(timer_);
  if (stop_ >= 0) close(stop_);
  timer_ = stop_ = -1;
}

void* BeatThread::Run(void* self) {
  static_cast<BeatThread*>(self)->Loop();
  return nullptr;
}

void BeatThread::Loop() {
  while (!is_stopping_) {
    bool ticked = false;
    bool probed = false;
    Wait(&ticked, &probed);
    if (is_stopping_) return;
    const std::lock_guard<InheritingMutex> guard(mutex);
    const uint64_t now = Monotonic();
    priority.Update(now);
    uint64_t expirations = 0;
    // A tick first: it knows whether this thread itself was away.
    if (ticked && read(timer_, &expirations, sizeof(expirations)) == sizeof(expirations)) {
      Tick(now, expirations);
    }
    if (probed && probe.CameThrough()) Judge(now);
    // One that was lost is sent again.
    if (ticked) probe.GiveUp();
    Watch(now);
    Summarise(now);
    Publish();
  }
}

void BeatThread::Wait(bool* ticked, bool* probed) {
  pollfd waits[] = {{stop_, POLLIN, 0}, {timer_, POLLIN, 0}, {probe.fd(), POLLIN, 0}};
  const nfds_t count = probe.is_under_way() ? 3 : 2;
  const uint64_t now = deadline_ == 0 ? 0 : Monotonic();
  const timespec rest = Time(deadline_ > now ? deadline_ - now : 0);
  if (ppoll(waits, count, deadline_ == 0 ? nullptr : &rest, nullptr) < 0) return;
  *ticked = (waits[1].revents & POLLIN) != 0;
  *probed = count == 3 && waits[2].revents != 0;
}

}  // namespace keepstate
