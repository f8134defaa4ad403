// The module's entry point: registration, nothing else.
#include <napi.h>

#include "bridge/register.hh"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  layer_store::RegisterFsAt(env, exports);
  layer_store::RegisterFallbacks(env, exports);
  layer_store::RegisterXattr(env, exports);
  layer_store::RegisterContent(env, exports);
  layer_store::RegisterMount(env, exports);
  layer_store::RegisterLock(env, exports);
  layer_store::RegisterLoop(env, exports);
  layer_store::RegisterBlockDevice(env, exports);
  layer_store::RegisterDeviceMapper(env, exports);
  layer_store::RegisterQuota(env, exports);
  layer_store::RegisterUserNamespace(env, exports);
  layer_store::RegisterKernelLog(env, exports);
  layer_store::RegisterCrc64(env, exports);
  layer_store::RegisterDigest(env, exports);
  layer_store::RegisterFeatures(env, exports);
  layer_store::RegisterExtract(env, exports);
  layer_store::RegisterGzipLines(env, exports);
  layer_store::RegisterGather(env, exports);
  layer_store::RegisterTree(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(layer_store_native, Init)
