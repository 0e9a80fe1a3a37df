// One datagram socket of any domain: batched receive into memory that the caller owns, batched
// send, and libuv readiness. No protocol knowledge. Every errno is returned as a value; nothing
// here throws for one.
#ifndef KEEPSTATE_BATCHED_SOCKET_H_
#define KEEPSTATE_BATCHED_SOCKET_H_

#include <node_api.h>
#include <sys/socket.h>
#include <uv.h>

#include <cstdint>
#include <vector>

#include "arguments.h"

namespace keepstate {

// Bytes reserved per cell for the sender's address; sockaddr_in6 needs 28, sockaddr_ll 20.
constexpr size_t kAddressBytes = 32;

struct Poller;

class BatchedSocket {
 public:
  static napi_value Define(napi_env env);

 private:
  friend struct Poller;

  BatchedSocket(napi_env env, int fd);
  ~BatchedSocket();

  static napi_value New(napi_env env, napi_callback_info info);
  template <auto Method, int kOtherwise>
  static napi_value Enter(napi_env env, napi_callback_info info);

  // Called from JavaScript: batched_socket.cc.
  int Bind(const Arguments& call);
  int Connect(const Arguments& call);
  int SetOption(const Arguments& call);
  int GetOption(const Arguments& call);
  int AttachFilter(const Arguments& call);
  int GetSocketName(const Arguments& call);
  int Ioctl(const Arguments& call);
  int SetRing(const Arguments& call);
  int Receive(const Arguments& call);
  int Start(const Arguments& call);
  void Stop(const Arguments& call);
  void SetReferenced(const Arguments& call);
  int Send(const Arguments& call);
  int SendMany(const Arguments& call);
  int Duplicate(const Arguments& call);
  void Close(const Arguments& call);

  // Number of datagrams (0: nothing waits) or a negative errno.
  int ReceiveBatch();
  void OnWake(int status, int events, bool rested);
  bool Deliver(bool* drained, size_t* received);
  // Calls the JavaScript handler; false when the environment can run no more JavaScript.
  bool Notify(int code);
  uint64_t RestMilliseconds(uint64_t now, size_t received) const;
  int UpdatePoll();
  void StopPolling();
  void CloseAll();

  napi_env env_;
  int fd_;
  napi_ref self_ = nullptr;      // weak, owned by the wrap
  napi_ref ring_ = nullptr;      // the ArrayBuffer behind the cells
  napi_ref handler_ = nullptr;   // (code) => void
  Poller* poller_ = nullptr;
  bool reading_ = false;
  bool writing_ = false;
  bool referenced_ = true;
  bool finalizing_ = false;
  bool resting_ = false;
  uint64_t slice_nanoseconds_ = 2000000;
  uint64_t rest_milliseconds_ = 0;
  uint64_t light_rest_milliseconds_ = 0;
  // So many datagrams may come during a rest; 0: any number.
  uint64_t rest_datagrams_ = 0;
  uint64_t last_wake_ = 0;

  size_t cells_ = 0;
  size_t cell_bytes_ = 0;
  size_t control_bytes_ = 0;
  // Room for each sender's address; 0 where nobody asks for it.
  size_t name_bytes_ = kAddressBytes;
  size_t dirty_ = 0;
  uint32_t* lengths_ = nullptr;
  uint32_t* flags_ = nullptr;
  uint32_t* address_lengths_ = nullptr;
  uint32_t* control_lengths_ = nullptr;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> vectors_;
};

}  // namespace keepstate

#endif  // KEEPSTATE_BATCHED_SOCKET_H_
