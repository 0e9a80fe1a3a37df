// One call seals a whole run of records: a cipher object of node:crypto for each of them costs more
// than the cipher. Functions of OpenSSL are looked up by name, so that the addon loads without them.
#include "aes_gcm.h"

#include <dlfcn.h>
#include <errno.h>

#include <cstring>

#include "arguments.h"
#include "napi_values.h"

namespace keepstate {

namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kTagBytes = 16;
constexpr size_t kNonceBytes = 12;
// Bytes 10 to 15 of a record are its counter: the end of the nonce, the beginning of which is 0.
constexpr size_t kCounterAt = 10;
constexpr size_t kCounterBytes = 6;
constexpr size_t kLeastClear = kCounterAt + kCounterBytes;
// EVP_CTRL_AEAD_GET_TAG and _SET_TAG.
constexpr int kGetTag = 0x10;
constexpr int kSetTag = 0x11;

// As in evp(3) and EVP_EncryptInit(3); contexts and ciphers are opaque there too.
struct OpenSsl {
  void* (*context_new)() = nullptr;
  void (*context_free)(void*) = nullptr;
  int (*control)(void*, int, int, void*) = nullptr;
  const void* (*aes_128_gcm)() = nullptr;
  int (*seal_init)(void*, const void*, void*, const uint8_t*, const uint8_t*) = nullptr;
  int (*seal_update)(void*, uint8_t*, int*, const uint8_t*, int) = nullptr;
  int (*seal_final)(void*, uint8_t*, int*) = nullptr;
  int (*open_init)(void*, const void*, void*, const uint8_t*, const uint8_t*) = nullptr;
  int (*open_update)(void*, uint8_t*, int*, const uint8_t*, int) = nullptr;
  int (*open_final)(void*, uint8_t*, int*) = nullptr;
  bool is_complete = true;

  OpenSsl() {
    Find("EVP_CIPHER_CTX_new", &context_new);
    Find("EVP_CIPHER_CTX_free", &context_free);
    Find("EVP_CIPHER_CTX_ctrl", &control);
    Find("EVP_aes_128_gcm", &aes_128_gcm);
    Find("EVP_EncryptInit_ex", &seal_init);
    Find("EVP_EncryptUpdate", &seal_update);
    Find("EVP_EncryptFinal_ex", &seal_final);
    Find("EVP_DecryptInit_ex", &open_init);
    Find("EVP_DecryptUpdate", &open_update);
    Find("EVP_DecryptFinal_ex", &open_final);
  }

  template <typename Function>
  void Find(const char* name, Function* into) {
    *into = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    is_complete = is_complete && *into != nullptr;
  }
};

// The same in each environment, and never changed.
const OpenSsl& Library() {
  static const OpenSsl library;
  return library;
}

class RecordCipher {
 public:
  explicit RecordCipher(const uint8_t* key)
      : sealing_(Library().context_new()), opening_(Library().context_new()) {
    const OpenSsl& ssl = Library();
    is_ready_ = sealing_ != nullptr && opening_ != nullptr &&
                ssl.seal_init(sealing_, ssl.aes_128_gcm(), nullptr, key, nullptr) == 1 &&
                ssl.open_init(opening_, ssl.aes_128_gcm(), nullptr, key, nullptr) == 1;
  }

  // Frees wipe the key (EVP_CIPHER_CTX_free(3)).
  ~RecordCipher() {
    Library().context_free(sealing_);
    Library().context_free(opening_);
  }

  bool is_ready() const { return is_ready_; }

  bool Seal(uint8_t* record, size_t length, size_t clear) {
    const OpenSsl& ssl = Library();
    const size_t body = length - clear - kTagBytes;
    int done = 0;
    uint8_t nonce[kNonceBytes];
    return ssl.seal_init(sealing_, nullptr, nullptr, nullptr, NonceOf(record, nonce)) == 1 &&
           ssl.seal_update(sealing_, nullptr, &done, record, static_cast<int>(clear)) == 1 &&
           (body == 0 || ssl.seal_update(sealing_, record + clear, &done, record + clear,
                                         static_cast<int>(body)) == 1) &&
           ssl.seal_final(sealing_, record + clear + body, &done) == 1 &&
           ssl.control(sealing_, kGetTag, kTagBytes, record + clear + body) == 1;
  }

  // Nothing of `into` may be used where it is false.
  bool Open(const uint8_t* record, size_t length, size_t clear, uint8_t* into) {
    const OpenSsl& ssl = Library();
    const size_t body = length - clear - kTagBytes;
    int done = 0;
    uint8_t nonce[kNonceBytes];
    uint8_t tag[kTagBytes];
    uint8_t rest[kTagBytes];
    memcpy(tag, record + length - kTagBytes, kTagBytes);
    return ssl.open_init(opening_, nullptr, nullptr, nullptr, NonceOf(record, nonce)) == 1 &&
           ssl.open_update(opening_, nullptr, &done, record, static_cast<int>(clear)) == 1 &&
           (body == 0 || ssl.open_update(opening_, into, &done, record + clear,
                                         static_cast<int>(body)) == 1) &&
           ssl.control(opening_, kSetTag, kTagBytes, tag) == 1 &&
           ssl.open_final(opening_, rest, &done) == 1;
  }

 private:
  static const uint8_t* NonceOf(const uint8_t* record, uint8_t* nonce) {
    memset(nonce, 0, kNonceBytes - kCounterBytes);
    memcpy(nonce + kNonceBytes - kCounterBytes, record + kCounterAt, kCounterBytes);
    return nonce;
  }

  void* sealing_;
  void* opening_;
  bool is_ready_ = false;
};

napi_value New(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  uint8_t* key = nullptr;
  size_t length = 0;
  if (!arguments.Memory(0, &key, &length) || length != kKeyBytes) {
    napi_throw_type_error(env, nullptr, "a key has 16 bytes");
    return nullptr;
  }
  auto* cipher = new RecordCipher(key);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<RecordCipher*>(data); };
  if (!cipher->is_ready() ||
      napi_wrap(env, arguments.self, cipher, finalize, nullptr, nullptr) != napi_ok) {
    delete cipher;
    napi_throw_error(env, nullptr, "OpenSSL refuses AES-128-GCM");
    return nullptr;
  }
  return arguments.self;
}

RecordCipher* Unwrap(const Arguments& arguments) {
  void* cipher = nullptr;
  if (napi_unwrap(arguments.env, arguments.self, &cipher) != napi_ok) return nullptr;
  return static_cast<RecordCipher*>(cipher);
}

// seal(records, length, clearBytes): errno. Records of that length lie end to end, each with room
// for its tag at its end.
napi_value Seal(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  RecordCipher* cipher = Unwrap(arguments);
  uint8_t* records = nullptr;
  size_t bytes = 0;
  const size_t length = arguments.Uint(1);
  const size_t clear = arguments.Uint(2);
  if (cipher == nullptr || !arguments.Memory(0, &records, &bytes) || clear < kLeastClear ||
      length < clear + kTagBytes || bytes % length != 0) {
    return Number(env, EINVAL);
  }
  for (size_t at = 0; at < bytes; at += length) {
    if (!cipher->Seal(records + at, length, clear)) return Number(env, EIO);
  }
  return Number(env, 0);
}

// open(record, clearBytes, into): errno; EBADMSG: of nobody who has the key.
napi_value Open(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  RecordCipher* cipher = Unwrap(arguments);
  uint8_t* record = nullptr;
  uint8_t* into = nullptr;
  size_t length = 0;
  size_t room = 0;
  const size_t clear = arguments.Uint(1);
  if (cipher == nullptr || !arguments.Memory(0, &record, &length) || clear < kLeastClear ||
      length < clear + kTagBytes || !arguments.Memory(2, &into, &room) ||
      room < length - clear - kTagBytes) {
    return Number(env, EINVAL);
  }
  return Number(env, cipher->Open(record, length, clear, into) ? 0 : EBADMSG);
}

}  // namespace

napi_value DefineRecordCipher(napi_env env) {
  if (!Library().is_complete) return Undefined(env);
  const napi_property_descriptor methods[] = {
      {"seal", nullptr, Seal, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_value result = nullptr;
  napi_define_class(env, "RecordCipher", NAPI_AUTO_LENGTH, New, nullptr, 2, methods, &result);
  return result;
}

}  // namespace keepstate
