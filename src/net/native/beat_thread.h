// The thread that beats: it sends what it was given on each path, notes what arrives and for how
// long nothing did, and wakes the main thread where that has changed. It knows no roles.
#ifndef KEEPSTATE_BEAT_THREAD_H_
#define KEEPSTATE_BEAT_THREAD_H_

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "beat_clock.h"
#include "beat_listener.h"
#include "beat_loop_watch.h"
#include "beat_path.h"
#include "beat_priority.h"
#include "beat_probe.h"
#include "beat_seal.h"

namespace keepstate {

constexpr size_t kMostPaths = 64;

// Set in Facts::news: what has become so, or is so. The order is that of `newsBits` in
// src/net/beat/beatReport.ts.
enum News : uint32_t {
  kAllSilent = 1, kAllLate = 2, kPeerStands = 4, kOwnStands = 8, kPeerBeat = 16, kStrangerBeat = 32
};

// What the main thread is told, besides the paths.
struct Facts {
  uint32_t news = 0;
  uint64_t ticks = 0, sequence = 0;
  uint64_t lateness = 0;       // ns, the worst of the last 10 to 20 s
  uint64_t loop_age = 0;       // ns, of the main loop's last turn
  uint64_t longest_stand = 0;  // ns, of the main loop since the last report
  uint64_t peer_loop_age = 0;  // ms
  uint64_t peer_lateness = 0;  // ms
};

// Header and content as they are sent; 0 bytes: nothing.
struct SaidBeat {
  std::array<uint8_t, kMostBeat> bytes = {};
  size_t length = 0;
};

// What is done without the main thread, once it has stood still for `after` (ns; 0: never).
struct Standing {
  SaidBeat beat;  // said in place of the usual one
  uint64_t after = 0;
  // The process ends where a beat of the peer that comes then has one of these bits in its content.
  size_t offset = 0;
  uint8_t bits = 0;
};

class BeatThread {
 public:
  explicit BeatThread(pid_t main_thread) : priority(main_thread) {}
  BeatThread(const BeatThread&) = delete;
  BeatThread& operator=(const BeatThread&) = delete;
  ~BeatThread() { Stop(); }

  // Errno. `loop` outlives the thread.
  int Start(uint64_t interval_milliseconds, BeatLoopWatch* loop);
  void Stop();
  // What is to be told now; what has become so is then told. Under the mutex.
  Facts TakeFacts();

  // All below is read and written under this, by the thread for the length of a tick.
  InheritingMutex mutex;
  std::array<std::unique_ptr<BeatPath>, kMostPaths> paths;
  BeatSeal seal;
  BeatListener listener;
  BeatProbe probe;
  BeatPriority priority;
  Facts facts;
  std::array<uint8_t, kSessionBytes> session = {};
  SaidBeat beat;
  Standing standing;
  uint64_t own_limit = 0;   // ns that the main loop may stand still; 0: any time
  uint64_t peer_limit = 0;  // ms that the peer's may

 private:
  static void* Run(void* self);
  void Loop();
  void Wait(bool* ticked, bool* probed);
  void Tick(uint64_t now, uint64_t expirations);
  void WatchLoop(uint64_t now, uint64_t late);
  void Send(uint64_t now);
  void Read(uint64_t now);
  // What is silent, once the probe came through and all sockets are empty.
  void Judge(uint64_t now);
  // Ends the process where the peer says what it must not while this one's main loop stands still.
  void EndIfReplaced(uint64_t now);
  // Sets the next deadline; asks for a probe where one has passed.
  void Watch(uint64_t now);
  void NoteLateness(uint64_t late, uint64_t now);
  void Summarise(uint64_t now);
  void Publish();

  pthread_t thread_ = {};
  bool is_running_ = false;
  std::atomic<bool> is_stopping_{false};
  BeatLoopWatch* loop_ = nullptr;
  int timer_ = -1, stop_ = -1;
  uint64_t interval_ = 0;  // ns
  uint64_t began_ = 0;     // the time of tick 0
  uint64_t tick_ = 0;      // as time counts them: those that were missed too
  uint64_t deadline_ = 0;  // of the next path; 0: none before the next tick
  std::array<size_t, kMostPaths> shares_ = {};
  std::array<PathState, kMostPaths> known_ = {};
  Facts known_facts_;
  bool has_woken_ = false;
  // ns for which the main loop stood still while this thread ran.
  uint64_t seen_standing_ = 0, last_tick_ = 0;
  uint64_t lateness_now_ = 0, lateness_before_ = 0, lateness_since_ = 0;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_THREAD_H_
