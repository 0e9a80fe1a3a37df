// What JavaScript handed to one call of a method.
#ifndef KEEPSTATE_ARGUMENTS_H_
#define KEEPSTATE_ARGUMENTS_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace keepstate {

struct Arguments {
  // The most that a method takes (start); napi fills up with undefined.
  static constexpr size_t kMost = 7;

  napi_env env;
  napi_value value[kMost] = {};
  napi_value self = nullptr;

  Arguments(napi_env environment, napi_callback_info info) : env(environment) {
    size_t count = kMost;
    napi_get_cb_info(env, info, &count, value, &self, nullptr);
  }

  int32_t Int(size_t i) const {
    int32_t result = 0;
    napi_get_value_int32(env, value[i], &result);
    return result;
  }

  uint32_t Uint(size_t i) const {
    uint32_t result = 0;
    napi_get_value_uint32(env, value[i], &result);
    return result;
  }

  bool Bool(size_t i) const {
    bool result = false;
    napi_get_value_bool(env, value[i], &result);
    return result;
  }

  // The memory of a Uint8Array or Uint32Array; false when the argument is none.
  bool Memory(size_t i, uint8_t** data, size_t* bytes) const {
    bool is_typed_array = false;
    if (napi_is_typedarray(env, value[i], &is_typed_array) != napi_ok || !is_typed_array) return false;
    napi_typedarray_type type;
    size_t length = 0;
    void* memory = nullptr;
    napi_get_typedarray_info(env, value[i], &type, &length, &memory, nullptr, nullptr);
    const size_t width = type == napi_uint32_array ? 4 : 1;
    if (width == 1 && type != napi_uint8_array) return false;
    *data = static_cast<uint8_t*>(memory);
    *bytes = length * width;
    return true;
  }

  // The memory of a Float64Array, as its two ends; false when the argument is none.
  bool Doubles(size_t i, double** begin, double** end) const {
    bool is_typed_array = false;
    if (napi_is_typedarray(env, value[i], &is_typed_array) != napi_ok || !is_typed_array) return false;
    napi_typedarray_type type;
    size_t length = 0;
    void* memory = nullptr;
    napi_get_typedarray_info(env, value[i], &type, &length, &memory, nullptr, nullptr);
    if (type != napi_float64_array) return false;
    *begin = static_cast<double*>(memory);
    *end = *begin + length;
    return true;
  }
};

}  // namespace keepstate

#endif  // KEEPSTATE_ARGUMENTS_H_
