// Whether the event loop of the main thread turns, without a wake-up of its own for it: libuv
// counts the time that it waits, each turn is noted, and one that has waited long is knocked at.
#ifndef KEEPSTATE_BEAT_LOOP_WATCH_H_
#define KEEPSTATE_BEAT_LOOP_WATCH_H_

#include <node_api.h>
#include <uv.h>

#include <atomic>
#include <cstdint>

namespace keepstate {

struct LoopCallbacks {
  void (*on_wake)(void* owner);  // after Wake()
  void (*on_end)(void* owner);   // the environment ends: nobody may call in here any more
};

// On the heap, because libuv needs the handles until they are closed.
class BeatLoopWatch {
 public:
  // In the loop's thread. Errno.
  static int Open(napi_env env, const LoopCallbacks& callbacks, void* owner, BeatLoopWatch** into);
  // In the loop's thread; calls back no more.
  void Close();

  // From any thread.
  void Wake();
  // In the beat thread, each tick: nanoseconds for which the loop has neither turned nor waited, or
  // has not woken although it was called. `was_away`: this thread did not run for a while, and so
  // perhaps the whole process; then only an answer shows that the loop is there again.
  uint64_t Age(uint64_t now, bool was_away);

  // Nanoseconds between two turns that were further apart than knocking explains, since the last
  // call: the process was stopped, and its loop went on before this thread did.
  uint64_t TakeGap() { return gap_.exchange(0); }

 private:
  void Turned();
  void Knock(uint64_t now);
  static void OnCheck(uv_check_t* handle);
  static void OnAsync(uv_async_t* handle);
  static void OnClosed(uv_handle_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  uv_loop_t* loop_ = nullptr;
  uv_check_t check_;
  uv_async_t async_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  LoopCallbacks callbacks_ = {};
  void* owner_ = nullptr;
  int open_handles_ = 2;
  bool is_closing_ = false;
  std::atomic<uint64_t> last_turn_{0};
  std::atomic<uint64_t> knocked_{0};  // 0: it has answered
  std::atomic<uint64_t> gap_{0};
  // The turn after which the thread itself has seen the loop stand.
  std::atomic<uint64_t> told_turn_{0};
  std::atomic<bool> is_wanted_{false};
  // Of the beat thread alone.
  uint64_t waited_ = 0;
  uint64_t last_wait_ = 0;
  bool is_doubtful_ = false;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_LOOP_WATCH_H_
