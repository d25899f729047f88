// JavaScript values as C numbers and buffers, and back. Nothing here throws for a wrong one.
#ifndef KVMKIT_VALUES_H
#define KVMKIT_VALUES_H

#include <napi.h>

#include <cmath>
#include <cstdint>

constexpr uint64_t kMaxSafe = (uint64_t{1} << 53) - 1;
constexpr uint64_t kInvalid = ~uint64_t{0};

inline Napi::Value Result(Napi::Env env, int64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// A double that is an integer of [0, max], or the fallback.
inline uint64_t Unsigned(const Napi::Value& value, uint64_t max, uint64_t fallback) {
  if (!value.IsNumber()) return fallback;
  double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0) || number > static_cast<double>(max) || number != std::floor(number)) return fallback;
  return static_cast<uint64_t>(number);
}

struct Bytes {
  void* data = nullptr;
  size_t length = 0;
  bool valid = true;  // undefined is a valid empty buffer
};

// A Uint8Array. One over a detached buffer has length 0, which every length check refuses. `exclusive` refuses shared
// memory: what was checked must not change before the kernel reads it.
inline Bytes BytesOf(const Napi::Value& value, bool exclusive = false) {
  Bytes bytes;
  if (value.IsUndefined()) return bytes;
  bytes.valid = value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
  if (!bytes.valid) return bytes;
  napi_env env = value.Env();
  napi_value buffer;
  bool unshared = true;
  bytes.valid =
      napi_get_typedarray_info(env, value, nullptr, &bytes.length, &bytes.data, &buffer, nullptr) == napi_ok &&
      (!exclusive || (napi_is_arraybuffer(env, buffer, &unshared) == napi_ok && unshared));
  return bytes;
}

#endif
