// HMAC-SHA-256 by the OpenSSL inside Node.js, looked up by name; without a key a plain checksum.
#ifndef KEEPSTATE_BEAT_SEAL_H_
#define KEEPSTATE_BEAT_SEAL_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "beat_wire.h"

namespace keepstate {

constexpr size_t kDigestBytes = 32;

struct Bytes {
  const uint8_t* data;
  size_t length;
};

class BeatSeal {
 public:
  BeatSeal() = default;
  BeatSeal(const BeatSeal&) = delete;
  BeatSeal& operator=(const BeatSeal&) = delete;
  ~BeatSeal() { Forget(); }

  // Zero bytes: no key from now on. Errno: ENOSYS where Node.js exports no HMAC. OpenSSL holds the
  // only copy, and clears it before it frees it.
  int SetKey(Bytes key);
  void Forget();
  // Writes the 16 bytes that belong to these two runs of bytes; false where OpenSSL refuses.
  bool Compute(Bytes first, Bytes second, uint8_t* seal);
  // The whole digest (kDigestBytes); only with a key.
  bool Digest(Bytes first, Bytes second, uint8_t* digest);

 private:
  void* context_ = nullptr;  // EVP_MAC_CTX
};

// hmacSha256(key, bytes, into): errno. `into` takes the 32 bytes; ENOSYS where there is no HMAC.
napi_value HmacSha256(napi_env env, napi_callback_info info);

}  // namespace keepstate

#endif  // KEEPSTATE_BEAT_SEAL_H_
