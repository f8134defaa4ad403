// crc64(seed, data), and crc64Variants: the same by each implementation. Synchronous only: a chunk takes less time than a trip to the pool.
#include <napi.h>

#include "bridge/arguments.hh"
#include "bridge/js_error.hh"
#include "bridge/register.hh"
#include "core/crc64.hh"

namespace layer_store {

namespace {

using Update = uint64_t (*)(uint64_t, const uint8_t*, size_t);

void define(Napi::Env env, Napi::Object exports, const char* name, Update update) {
  exports.Set(name, Napi::Function::New(
                        env,
                        [name, update](const Napi::CallbackInfo& info) -> Napi::Value {
                          const Arguments arguments(info, name);
                          uint64_t crc = 0;
                          if (!arguments.absent(0)) {
                            const ByteView seed = arguments.view(0);
                            if (seed.size != 8) {
                              throw makeArgumentError(info.Env(), "ERR_INVALID_ARG_VALUE",
                                                      std::string(name) + ": a seed is 8 bytes, big endian");
                            }
                            crc = crc64_load(seed.data);
                          }
                          const ByteView data = arguments.view(1);
                          uint8_t out[8];
                          crc64_store(update(crc, data.data, data.size), out);
                          return Napi::Buffer<uint8_t>::Copy(info.Env(), out, sizeof out);
                        },
                        name));
}

}  // namespace

void RegisterCrc64(Napi::Env env, Napi::Object exports) {
  define(env, exports, "crc64", Crc64::update);
  Napi::Object variants = Napi::Object::New(env);
  for (const Crc64::Variant& variant : Crc64::variants()) define(env, variants, variant.name, variant.update);
  exports.Set("crc64Variants", variants);
}

}  // namespace layer_store
