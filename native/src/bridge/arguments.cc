#include "bridge/arguments.hh"

#include <cmath>

#include "bridge/js_error.hh"

namespace layer_store {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

std::optional<int64_t> toInt64(const Napi::Value& value) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (std::trunc(number) != number || std::fabs(number) > kMaxSafeInteger) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.IsBigInt()) {
    bool lossless = false;
    const int64_t number = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (lossless) return number;
  }
  return std::nullopt;
}

std::optional<uint64_t> toUint64(const Napi::Value& value) {
  if (value.IsBigInt()) {
    bool lossless = false;
    const uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
    return lossless ? std::optional<uint64_t>(number) : std::nullopt;
  }
  const std::optional<int64_t> number = toInt64(value);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

std::optional<std::string> toBytes(const Napi::Value& value) {
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
    return std::string(reinterpret_cast<const char*>(array.Data()), array.ByteLength());
  }
  return std::nullopt;
}

[[noreturn]] void refuseProperty(const Napi::Object& object, const char* name, const char* expected) {
  throw makeArgumentError(object.Env(), "ERR_INVALID_ARG_TYPE", std::string("option ") + name + " must be " + expected);
}

}  // namespace

void Arguments::refuse(size_t index, const char* expected) const {
  throw makeArgumentError(env(), "ERR_INVALID_ARG_TYPE",
                          std::string(function_) + ": argument " + std::to_string(index + 1) + " must be " + expected);
}

bool Arguments::absent(size_t index) const {
  const Napi::Value value = info_[index];
  return value.IsUndefined() || value.IsNull();
}

int Arguments::int32(size_t index) const {
  const std::optional<int64_t> value = toInt64(info_[index]);
  if (!value || *value < INT32_MIN || *value > INT32_MAX) refuse(index, "a 32-bit integer");
  return static_cast<int>(*value);
}

int Arguments::int32Or(size_t index, int fallback) const { return absent(index) ? fallback : int32(index); }

int Arguments::descriptor(size_t index) const {
  const std::optional<int64_t> value = toInt64(info_[index]);
  if (!value || *value < INT32_MIN || *value > INT32_MAX) refuse(index, "a file descriptor");
  return static_cast<int>(*value);
}

uint32_t Arguments::uint32(size_t index) const {
  const std::optional<int64_t> value = toInt64(info_[index]);
  if (!value || *value < 0 || *value > UINT32_MAX) refuse(index, "an unsigned 32-bit integer");
  return static_cast<uint32_t>(*value);
}

uint32_t Arguments::uint32Or(size_t index, uint32_t fallback) const { return absent(index) ? fallback : uint32(index); }

uint32_t Arguments::owner(size_t index) const {
  const std::optional<int64_t> value = toInt64(info_[index]);
  if (!value || *value < -1 || *value > UINT32_MAX) refuse(index, "a user or group id, or -1");
  return static_cast<uint32_t>(*value);
}

int64_t Arguments::int64(size_t index) const {
  const std::optional<int64_t> value = toInt64(info_[index]);
  if (!value) refuse(index, "a safe integer or a 64-bit bigint");
  return *value;
}

std::optional<int64_t> Arguments::optionalInt64(size_t index) const {
  if (absent(index)) return std::nullopt;
  return int64(index);
}

uint64_t Arguments::uint64(size_t index) const {
  const std::optional<uint64_t> value = toUint64(info_[index]);
  if (!value) refuse(index, "a non-negative safe integer or 64-bit bigint");
  return *value;
}

uint64_t Arguments::uint64Or(size_t index, uint64_t fallback) const { return absent(index) ? fallback : uint64(index); }

std::string Arguments::text(size_t index, const char* expected) const {
  std::optional<std::string> value = toBytes(info_[index]);
  if (!value) refuse(index, expected);
  return *std::move(value);
}

std::string Arguments::path(size_t index) const {
  std::string value = text(index, "a path (string or Uint8Array)");
  if (value.find('\0') != std::string::npos) {
    throw makeArgumentError(
        env(), "ERR_INVALID_ARG_VALUE",
        std::string(function_) + ": argument " + std::to_string(index + 1) + " must be a path without NUL bytes");
  }
  return value;
}

std::optional<std::string> Arguments::optionalPath(size_t index) const {
  if (absent(index)) return std::nullopt;
  return path(index);
}

std::string Arguments::bytes(size_t index) const { return text(index, "bytes (Uint8Array or string)"); }

ByteView Arguments::view(size_t index) const {
  const Napi::Value value = info_[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    refuse(index, "a Uint8Array");
  }
  const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

bool Arguments::boolean(size_t index) const {
  if (!info_[index].IsBoolean()) refuse(index, "true or false");
  return info_[index].As<Napi::Boolean>().Value();
}

Napi::Object Arguments::object(size_t index) const {
  if (!info_[index].IsObject()) refuse(index, "an object");
  return info_[index].As<Napi::Object>();
}

std::optional<uint64_t> optionalUint64Property(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return std::nullopt;
  const std::optional<uint64_t> number = toUint64(value);
  if (!number) refuseProperty(object, name, "a non-negative integer");
  return *number;
}

uint64_t uint64Property(const Napi::Object& object, const char* name, uint64_t fallback) {
  return optionalUint64Property(object, name).value_or(fallback);
}

uint32_t uint32Property(const Napi::Object& object, const char* name, uint32_t fallback) {
  const uint64_t number = uint64Property(object, name, fallback);
  if (number > UINT32_MAX) refuseProperty(object, name, "an unsigned 32-bit integer");
  return static_cast<uint32_t>(number);
}

int64_t int64Property(const Napi::Object& object, const char* name, int64_t fallback) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return fallback;
  const std::optional<int64_t> number = toInt64(value);
  if (!number) refuseProperty(object, name, "an integer");
  return *number;
}

bool boolProperty(const Napi::Object& object, const char* name, bool fallback) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsBoolean()) refuseProperty(object, name, "true or false");
  return value.As<Napi::Boolean>().Value();
}

std::optional<std::string> pathProperty(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return std::nullopt;
  std::optional<std::string> text = toBytes(value);
  if (!text || text->find('\0') != std::string::npos) refuseProperty(object, name, "a path without NUL bytes");
  return text;
}

}  // namespace layer_store
