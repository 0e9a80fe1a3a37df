#include "beat_loop_watch.h"

#include <errno.h>

#include <algorithm>

#include "beat_clock.h"

namespace keepstate {

namespace {

constexpr uint64_t kKnockAfter = 100 * kMillisecond;
// A loop that waits is knocked at long before.
constexpr uint64_t kStand = 3 * kKnockAfter;

template <typename Handle>
uv_handle_t* Plain(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

int BeatLoopWatch::Open(napi_env env, const LoopCallbacks& callbacks, void* owner,
                        BeatLoopWatch** into) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return EINVAL;
  BeatLoopWatch* watch = new BeatLoopWatch();
  const int result = uv_async_init(loop, &watch->async_, OnAsync);
  if (result < 0) {
    delete watch;
    return -result;
  }
  uv_check_init(loop, &watch->check_);
  uv_check_start(&watch->check_, OnCheck);
  for (uv_handle_t* handle : {Plain(&watch->async_), Plain(&watch->check_)}) {
    handle->data = watch;
    uv_unref(handle);
  }
  watch->loop_ = loop;
  watch->callbacks_ = callbacks;
  watch->owner_ = owner;
  watch->last_turn_ = Monotonic();
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, watch, &watch->hook_);
  *into = watch;
  return 0;
}

void BeatLoopWatch::Close() {
  if (is_closing_) return;
  is_closing_ = true;
  owner_ = nullptr;
  uv_close(Plain(&async_), OnClosed);
  uv_close(Plain(&check_), OnClosed);
}

void BeatLoopWatch::Wake() {
  is_wanted_ = true;
  uv_async_send(&async_);
}

// Callbacks of sockets run inside libuv's poll, before its check: only the time spent waiting tells
// that they have ended. A loop that always has something to do never waits, and turns.
uint64_t BeatLoopWatch::Age(uint64_t now, bool was_away) {
  if (was_away) Knock(now);
  is_doubtful_ = was_away || (is_doubtful_ && knocked_ != 0);
  const uint64_t waited = uv_metrics_idle_time(loop_);
  if (waited != waited_ && !is_doubtful_) last_wait_ = now;
  waited_ = waited;
  const uint64_t last_turn = last_turn_;
  if (last_wait_ == now && knocked_ == 0 && now > last_turn + kKnockAfter) Knock(now);
  const uint64_t knocked = knocked_;
  const uint64_t alive = std::max(last_wait_, last_turn);
  const uint64_t standing = now > alive ? now - alive : 0;
  const uint64_t age = knocked == 0 || knocked > now ? standing : std::max(standing, now - knocked);
  if (age > kStand) told_turn_ = last_turn;
  return age;
}

void BeatLoopWatch::Knock(uint64_t now) {
  knocked_ = now;
  uv_async_send(&async_);
}

void BeatLoopWatch::Turned() {
  const uint64_t now = Monotonic();
  const uint64_t last_turn = last_turn_.exchange(now);
  const uint64_t gap = now - last_turn;
  if (gap > kStand && gap > gap_ && last_turn != told_turn_) gap_ = gap;
}

void BeatLoopWatch::OnCheck(uv_check_t* handle) {
  static_cast<BeatLoopWatch*>(handle->data)->Turned();
}

void BeatLoopWatch::OnAsync(uv_async_t* handle) {
  BeatLoopWatch* watch = static_cast<BeatLoopWatch*>(handle->data);
  watch->Turned();
  watch->knocked_ = 0;
  if (watch->is_wanted_.exchange(false) && watch->owner_ != nullptr) {
    watch->callbacks_.on_wake(watch->owner_);
  }
}

void BeatLoopWatch::OnClosed(uv_handle_t* handle) {
  BeatLoopWatch* watch = static_cast<BeatLoopWatch*>(handle->data);
  if (--watch->open_handles_ > 0) return;
  napi_remove_async_cleanup_hook(watch->hook_);
  delete watch;
}

void BeatLoopWatch::OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  BeatLoopWatch* watch = static_cast<BeatLoopWatch*>(data);
  if (watch->owner_ != nullptr) watch->callbacks_.on_end(watch->owner_);
  watch->Close();
}

}  // namespace keepstate
