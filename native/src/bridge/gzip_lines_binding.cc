// NativeGzipLines: core/gzip_lines.hh on the libuv pool; crc32Variants: the checksum in it by each implementation.
#include <napi.h>

#include <memory>

#include "bridge/arguments.hh"
#include "bridge/js_error.hh"
#include "bridge/promise_runner.hh"
#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/crc32.hh"
#include "core/gzip_lines.hh"

namespace layer_store {

namespace {

/** `new NativeGzipLines(fd)`, `write(text, rooms)`, `finish()`. */
class NativeGzipLines final : public Napi::ObjectWrap<NativeGzipLines> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeGzipLines",
                       {InstanceMethod<&NativeGzipLines::write>("write"), InstanceMethod<&NativeGzipLines::finish>("finish")});
  }

  explicit NativeGzipLines(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeGzipLines>(info) {
    file_ = std::make_shared<GzipLines>(Arguments(info, "NativeGzipLines").descriptor(0));
  }

 private:
  Napi::Value write(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "NativeGzipLines.write");
    const ByteView text = arguments.view(0);
    const Napi::Value given = info[1];
    if (!given.IsTypedArray() || given.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
      throw makeArgumentError(info.Env(), "ERR_INVALID_ARG_TYPE", "NativeGzipLines.write: argument 2 must be a Uint32Array");
    }
    const Napi::Uint32Array rooms = given.As<Napi::Uint32Array>();
    static_assert(sizeof(Base64Room) == 2 * sizeof(uint32_t));
    const auto* pairs = reinterpret_cast<const Base64Room*>(rooms.Data());
    auto write = [file = file_, text, pairs, count = rooms.ElementLength() / 2] {
      return file->write(const_cast<uint8_t*>(text.data), text.size, pairs, count);
    };
    return runTask(info.Env(), makeTask(std::move(write)), {arguments.object(0), rooms});
  }

  Napi::Value finish(const Napi::CallbackInfo& info) {
    return runTask(info.Env(), makeTask([file = file_] { return file->finish(); }));
  }

  std::shared_ptr<GzipLines> file_;
};

}  // namespace

void RegisterGzipLines(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeGzipLines", NativeGzipLines::define(env));
  Napi::Object variants = Napi::Object::New(env);
  for (const Crc32::Variant& variant : Crc32::variants()) {
    variants.Set(variant.name, Napi::Function::New(env, [variant](const Napi::CallbackInfo& info) -> Napi::Value {
                   const Arguments arguments(info, variant.name);
                   const ByteView data = arguments.view(1);
                   return Napi::Number::New(info.Env(), variant.update(arguments.uint32(0), data.data, data.size));
                 }));
  }
  exports.Set("crc32Variants", variants);
}

}  // namespace layer_store
