#include "beat_seal.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "arguments.h"
#include "napi_values.h"

namespace keepstate {

namespace {

// OSSL_PARAM(3), a documented part of OpenSSL's binary interface since 3.0.
struct Parameter {
  const char* key;
  unsigned int data_type;
  void* data;
  size_t data_size;
  size_t return_size;
};
constexpr unsigned int kUtf8String = 4;

// EVP_MAC(3). Opaque pointers throughout: the headers are not everywhere where Node.js is.
struct Library {
  void* (*fetch)(void* context, const char* algorithm, const char* properties);
  void* (*create)(void* mac);
  void (*release)(void* context);
  int (*init)(void* context, const uint8_t* key, size_t length, const Parameter* parameters);
  int (*update)(void* context, const uint8_t* bytes, size_t length);
  int (*final)(void* context, uint8_t* into, size_t* written, size_t size);
  void* hmac = nullptr;

  Library() {
    const bool all = Find("EVP_MAC_fetch", &fetch) && Find("EVP_MAC_CTX_new", &create) &&
                     Find("EVP_MAC_CTX_free", &release) && Find("EVP_MAC_init", &init) &&
                     Find("EVP_MAC_update", &update) && Find("EVP_MAC_final", &final);
    if (all) hmac = fetch(nullptr, "HMAC", nullptr);
  }

  template <typename Function>
  static bool Find(const char* name, Function* into) {
    *into = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    return *into != nullptr;
  }
};

// Written once, by whichever thread comes first, and only read afterwards.
const Library& OpenSsl() {
  static const Library library;
  return library;
}

}  // namespace

int BeatSeal::SetKey(Bytes key) {
  Forget();
  if (key.length == 0) return 0;
  const Library& library = OpenSsl();
  if (library.hmac == nullptr) return ENOSYS;
  void* context = library.create(library.hmac);
  if (context == nullptr) return ENOMEM;
  char digest[] = "SHA256";
  const Parameter parameters[] = {
      {"digest", kUtf8String, digest, sizeof(digest) - 1, 0},
      {nullptr, 0, nullptr, 0, 0},
  };
  if (library.init(context, key.data, key.length, parameters) != 1) {
    library.release(context);
    return ENOSYS;
  }
  context_ = context;
  return 0;
}

void BeatSeal::Forget() {
  if (context_ != nullptr) OpenSsl().release(context_);
  context_ = nullptr;
}

bool BeatSeal::Digest(Bytes first, Bytes second, uint8_t* digest) {
  const Library& library = OpenSsl();
  size_t written = 0;
  // Without a key: begins anew with that of before.
  return context_ != nullptr && library.init(context_, nullptr, 0, nullptr) == 1 &&
         library.update(context_, first.data, first.length) == 1 &&
         library.update(context_, second.data, second.length) == 1 &&
         library.final(context_, digest, &written, kDigestBytes) == 1 && written == kDigestBytes;
}

bool BeatSeal::Compute(Bytes first, Bytes second, uint8_t* seal) {
  if (context_ == nullptr) {
    const uint64_t hash = PlainChecksum(first.data, first.length, kPlainChecksumStart);
    Put(seal, 8, PlainChecksum(second.data, second.length, hash));
    memset(seal + 8, 0, kSealBytes - 8);
    return true;
  }
  uint8_t digest[kDigestBytes];
  if (!Digest(first, second, digest)) return false;
  memcpy(seal, digest, kSealBytes);
  return true;
}

napi_value HmacSha256(napi_env env, napi_callback_info info) {
  const Arguments call(env, info);
  uint8_t *key, *bytes, *into;
  size_t key_length, length, size;
  if (!call.Memory(0, &key, &key_length) || !call.Memory(1, &bytes, &length) ||
      !call.Memory(2, &into, &size) || key_length == 0 || size < kDigestBytes) {
    return Number(env, EINVAL);
  }
  BeatSeal seal;
  const int result = seal.SetKey({key, key_length});
  if (result != 0) return Number(env, result);
  return Number(env, seal.Digest({bytes, length}, {nullptr, 0}, into) ? 0 : ENOSYS);
}

}  // namespace keepstate
