// What the binding registers, one function per group of calls.
#pragma once

#include <napi.h>

namespace layer_store {

void RegisterFsAt(Napi::Env env, Napi::Object exports);
void RegisterFallbacks(Napi::Env env, Napi::Object exports);
void RegisterXattr(Napi::Env env, Napi::Object exports);
void RegisterContent(Napi::Env env, Napi::Object exports);
void RegisterMount(Napi::Env env, Napi::Object exports);
void RegisterLock(Napi::Env env, Napi::Object exports);
void RegisterLoop(Napi::Env env, Napi::Object exports);
void RegisterBlockDevice(Napi::Env env, Napi::Object exports);
void RegisterDeviceMapper(Napi::Env env, Napi::Object exports);
void RegisterQuota(Napi::Env env, Napi::Object exports);
void RegisterUserNamespace(Napi::Env env, Napi::Object exports);
void RegisterKernelLog(Napi::Env env, Napi::Object exports);
void RegisterCrc64(Napi::Env env, Napi::Object exports);
void RegisterDigest(Napi::Env env, Napi::Object exports);
void RegisterFeatures(Napi::Env env, Napi::Object exports);
void RegisterExtract(Napi::Env env, Napi::Object exports);
void RegisterGzipLines(Napi::Env env, Napi::Object exports);
void RegisterGather(Napi::Env env, Napi::Object exports);
void RegisterTree(Napi::Env env, Napi::Object exports);

}  // namespace layer_store
