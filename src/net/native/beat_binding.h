// The beat thread as a class of JavaScript.
#ifndef KEEPSTATE_BEAT_BINDING_H_
#define KEEPSTATE_BEAT_BINDING_H_

#include <node_api.h>

#include "arguments.h"
#include "beat_loop_watch.h"
#include "beat_thread.h"

namespace keepstate {

class BeatBinding {
 public:
  static napi_value Define(napi_env env);

 private:
  BeatBinding(napi_env env, pid_t thread) : env_(env), thread_(thread) {}
  ~BeatBinding();

  static napi_value New(napi_env env, napi_callback_info info);
  template <auto Method>
  static napi_value Enter(napi_env env, napi_callback_info info);

  // 0 or a positive errno.
  int Start(const Arguments& call);
  int SetBeat(const Arguments& call);
  int SetKey(const Arguments& call);
  int SetSessions(const Arguments& call);
  int SetLoopLimits(const Arguments& call);
  int SetProbe(const Arguments& call);
  int SetPath(const Arguments& call);
  int SetPathLimits(const Arguments& call);
  int ForgetPath(const Arguments& call);
  int RemovePath(const Arguments& call);
  int Close(const Arguments& call);
  // What was written or found, or a negative errno.
  int Deliver(const Arguments& call);
  int TakeReport(const Arguments& call);
  int TakeBeat(const Arguments& call);
  int TakeStranger(const Arguments& call);

  BeatPath* PathAt(const Arguments& call);
  int Copy(const Arguments& call, const HeardBeat& beat);
  void End();
  void Notify();

  napi_env env_;
  napi_ref self_ = nullptr;     // weak but while the thread runs
  napi_ref handler_ = nullptr;  // () => void
  BeatThread thread_;
  BeatLoopWatch* loop_ = nullptr;
  bool is_finalizing_ = false;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_BINDING_H_
