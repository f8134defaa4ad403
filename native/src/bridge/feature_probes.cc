// probes: one function per feature, called when somebody asks; pageSize.
#include <napi.h>
#include <unistd.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/copy.hh"
#include "core/crc64.hh"
#include "core/fs_at.hh"
#include "core/lock.hh"
#include "core/mount_api.hh"
#include "core/quota.hh"

namespace layer_store {

namespace {

template <typename Probe>
void define(Napi::Object probes, const char* name, Probe probe) {
  probes.Set(name, Napi::Function::New(
                       probes.Env(),
                       [probe](const Napi::CallbackInfo& info) -> Napi::Value { return toJs(info.Env(), probe()); },
                       name));
}

}  // namespace

void RegisterFeatures(Napi::Env env, Napi::Object exports) {
  Napi::Object probes = Napi::Object::New(env);
  define(probes, "openat2", fs_at::hasOpenat2);
  define(probes, "renameat2", fs_at::hasRenameat2);
  define(probes, "fchmodat2", fs_at::hasFchmodat2);
  define(probes, "fsopen", mount_api::hasFsopen);
  define(probes, "mountSetattr", mount_api::hasMountSetattr);
  define(probes, "ofdLocks", hasOfdLocks);
  define(probes, "quotactlFd", quota::hasQuotactlFd);
  define(probes, "ficlone", ficloneSeen);
  probes.Set("crc64", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
               return Napi::String::New(info.Env(), Crc64::variants().back().name);
             }));
  exports.Set("probes", probes);
  exports.Set("pageSize", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return Napi::Number::New(info.Env(), static_cast<double>(::sysconf(_SC_PAGESIZE)));
              }));
}

}  // namespace layer_store
