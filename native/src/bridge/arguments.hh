// JavaScript arguments to C++ values: every conversion and every complaint about a wrong argument is here.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>

namespace layer_store {

/** A view of a Uint8Array's memory, valid while the array is alive and not detached. */
struct ByteView {
  const uint8_t* data;
  size_t size;
};

/** Throws a TypeError that names the function, the argument and what was expected. */
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const char* function) : info_(info), function_(function) {}

  Napi::Env env() const { return info_.Env(); }

  /** A descriptor or AT_FDCWD (-100). */
  int descriptor(size_t index) const;
  int int32(size_t index) const;
  int int32Or(size_t index, int fallback) const;
  uint32_t uint32(size_t index) const;
  uint32_t uint32Or(size_t index, uint32_t fallback) const;
  /** A user or group id; -1 (stored as UINT32_MAX) stands for "leave as it is". */
  uint32_t owner(size_t index) const;
  /** An integer number or a bigint that fits 64 bits. Numbers beyond 2^53 are refused, not rounded. */
  int64_t int64(size_t index) const;
  std::optional<int64_t> optionalInt64(size_t index) const;
  uint64_t uint64(size_t index) const;
  uint64_t uint64Or(size_t index, uint64_t fallback) const;
  /** A string (as UTF-8) or bytes, without NUL; may be empty. */
  std::string path(size_t index) const;
  std::optional<std::string> optionalPath(size_t index) const;
  /** A copy of bytes, or a string as UTF-8; NUL allowed. */
  std::string bytes(size_t index) const;
  /** The memory of a Uint8Array, not copied. */
  ByteView view(size_t index) const;
  bool boolean(size_t index) const;
  Napi::Object object(size_t index) const;
  bool absent(size_t index) const;

 private:
  [[noreturn]] void refuse(size_t index, const char* expected) const;
  std::string text(size_t index, const char* expected) const;

  const Napi::CallbackInfo& info_;
  const char* function_;
};

/** A property of an options object: `fallback` when missing or undefined. */
uint64_t uint64Property(const Napi::Object& object, const char* name, uint64_t fallback);
std::optional<uint64_t> optionalUint64Property(const Napi::Object& object, const char* name);
uint32_t uint32Property(const Napi::Object& object, const char* name, uint32_t fallback);
int64_t int64Property(const Napi::Object& object, const char* name, int64_t fallback);
bool boolProperty(const Napi::Object& object, const char* name, bool fallback);
std::optional<std::string> pathProperty(const Napi::Object& object, const char* name);

}  // namespace layer_store
