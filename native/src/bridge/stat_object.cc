#include "bridge/stat_object.hh"

namespace layer_store {

namespace {

// An object literal in JavaScript: setting thirteen properties one by one through Node-API costs more than twice as much as
// the whole call does this way, and change detection makes one for every file of two trees.
constexpr const char* kMaker =
    "((dev, ino, mode, nlink, uid, gid, rdevMajor, rdevMinor, size, blocks, atimeNs, mtimeNs, ctimeNs) =>"
    " ({ dev, ino, mode, nlink, uid, gid, rdevMajor, rdevMinor, size, blocks, atimeNs, mtimeNs, ctimeNs }))";

struct InstanceData {
  Napi::FunctionReference makeStat;
};

}  // namespace

void prepareStatObjects(Napi::Env env) {
  auto* data = new InstanceData{Napi::Persistent(env.RunScript(kMaker).As<Napi::Function>())};
  // Owned, and deleted with the environment, by Node-API.
  env.SetInstanceData(data);
}

Napi::Value toJs(Napi::Env env, const FileStat& stat) {
  return env.GetInstanceData<InstanceData>()->makeStat.Call({
      Napi::BigInt::New(env, stat.dev),
      Napi::BigInt::New(env, stat.ino),
      Napi::Number::New(env, stat.mode),
      Napi::Number::New(env, stat.nlink),
      Napi::Number::New(env, stat.uid),
      Napi::Number::New(env, stat.gid),
      Napi::Number::New(env, stat.rdevMajor),
      Napi::Number::New(env, stat.rdevMinor),
      Napi::Number::New(env, static_cast<double>(stat.size)),
      Napi::Number::New(env, static_cast<double>(stat.blocks)),
      Napi::BigInt::New(env, stat.atimeNs),
      Napi::BigInt::New(env, stat.mtimeNs),
      Napi::BigInt::New(env, stat.ctimeNs),
  });
}

}  // namespace layer_store
