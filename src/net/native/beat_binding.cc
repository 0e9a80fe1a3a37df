// Life of the object: it is held while its thread runs, and joins it before the environment ends.
#include "beat_binding.h"

#include <errno.h>
#include <unistd.h>

#include "napi_values.h"

namespace keepstate {

BeatBinding::~BeatBinding() {
  End();
  if (self_ != nullptr) napi_delete_reference(env_, self_);
}

template <auto Method>
napi_value BeatBinding::Enter(napi_env env, napi_callback_info info) {
  const Arguments call(env, info);
  void* data = nullptr;
  if (napi_unwrap(env, call.self, &data) != napi_ok) return Number(env, -EINVAL);
  return Number(env, (static_cast<BeatBinding*>(data)->*Method)(call));
}

napi_value BeatBinding::Define(napi_env env) {
  const napi_property_descriptor methods[] = {
#define METHOD(name, method)                                                   \
  {name,    nullptr, Enter<&BeatBinding::method>, nullptr, nullptr, nullptr,   \
   napi_default_method, nullptr}
      METHOD("start", Start),
      METHOD("setBeat", SetBeat),
      METHOD("setKey", SetKey),
      METHOD("setSessions", SetSessions),
      METHOD("setLoopLimits", SetLoopLimits),
      METHOD("setProbe", SetProbe),
      METHOD("setPath", SetPath),
      METHOD("setPathLimits", SetPathLimits),
      METHOD("forgetPath", ForgetPath),
      METHOD("removePath", RemovePath),
      METHOD("deliver", Deliver),
      METHOD("takeReport", TakeReport),
      METHOD("takeBeat", TakeBeat),
      METHOD("takeStranger", TakeStranger),
      METHOD("close", Close),
#undef METHOD
  };
  napi_value constructor = nullptr;
  napi_define_class(env, "NativeBeatThread", NAPI_AUTO_LENGTH, New, nullptr,
                    sizeof(methods) / sizeof(methods[0]), methods, &constructor);
  return constructor;
}

// new NativeBeatThread(): nothing runs yet. The calling thread is the one whose loop is watched.
napi_value BeatBinding::New(napi_env env, napi_callback_info info) {
  const Arguments call(env, info);
  BeatBinding* binding = new BeatBinding(env, gettid());
  const napi_status status = napi_wrap(
      env, call.self, binding,
      [](napi_env, void* data, void*) {
        BeatBinding* ending = static_cast<BeatBinding*>(data);
        ending->is_finalizing_ = true;
        delete ending;
      },
      nullptr, &binding->self_);
  if (status != napi_ok) {
    delete binding;
    napi_throw_error(env, nullptr, "cannot wrap the beat thread");
    return nullptr;
  }
  return call.self;
}

// start(intervalMilliseconds, handler): handler() is called when the report has changed.
int BeatBinding::Start(const Arguments& call) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, call.value[1], &type);
  if (type != napi_function || call.Uint(0) == 0) return EINVAL;
  if (loop_ != nullptr) return EALREADY;
  const LoopCallbacks callbacks = {
      [](void* owner) { static_cast<BeatBinding*>(owner)->Notify(); },
      [](void* owner) {
        BeatBinding* ending = static_cast<BeatBinding*>(owner);
        ending->thread_.Stop();
        ending->loop_ = nullptr;
      },
  };
  const int opened = BeatLoopWatch::Open(env_, callbacks, this, &loop_);
  if (opened != 0) return opened;
  napi_create_reference(env_, call.value[1], 1, &handler_);
  napi_reference_ref(env_, self_, nullptr);
  const int started = thread_.Start(call.Uint(0), loop_);
  if (started != 0) End();
  return started;
}

int BeatBinding::Close(const Arguments& call) {
  End();
  return 0;
}

void BeatBinding::End() {
  thread_.Stop();
  for (auto& path : thread_.paths) path.reset();
  thread_.probe.Open(-1, {}, 0);
  thread_.seal.Forget();
  if (loop_ == nullptr) return;
  loop_->Close();
  loop_ = nullptr;
  napi_delete_reference(env_, handler_);
  handler_ = nullptr;
  if (!is_finalizing_) napi_reference_unref(env_, self_, nullptr);
}

void BeatBinding::Notify() {
  napi_handle_scope scope = nullptr;
  if (handler_ == nullptr || napi_open_handle_scope(env_, &scope) != napi_ok) return;
  // Keeps the object, and with it `this`, alive while the handler runs.
  napi_value self = nullptr, handler = nullptr, receiver = nullptr;
  napi_get_reference_value(env_, self_, &self);
  napi_get_reference_value(env_, handler_, &handler);
  napi_get_global(env_, &receiver);
  if (napi_make_callback(env_, nullptr, receiver, handler, 0, nullptr, nullptr) ==
      napi_pending_exception) {
    napi_value exception = nullptr;
    if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) {
      napi_fatal_exception(env_, exception);
    }
  }
  napi_close_handle_scope(env_, scope);
}

}  // namespace keepstate
