// NativeGatherer: core/gather_reader.hh on a thread of its own.
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "bridge/arguments.hh"
#include "bridge/js_error.hh"
#include "bridge/register.hh"
#include "bridge/tree_job_thread.hh"
#include "core/gather_reader.hh"

namespace layer_store {

namespace {

class GatherTask final : public Task {
 public:
  GatherTask(std::shared_ptr<GatherReader> reader, ByteView plan, ByteView out)
      : reader_(std::move(reader)), plan_(plan), out_(out) {}

  // The output buffer is the caller's to fill: `ByteView` is read-only because every other use of it is.
  void execute() override { reader_->gather(plan_.data, plan_.size, const_cast<uint8_t*>(out_.data), out_.size); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  std::shared_ptr<GatherReader> reader_;
  ByteView plan_;
  ByteView out_;
};

std::vector<std::string> pathList(Napi::Env env, const Napi::Object& list) {
  if (!list.IsArray()) throw makeArgumentError(env, "ERR_INVALID_ARG_TYPE", "NativeGatherer: roots must be an array of paths");
  const auto array = list.As<Napi::Array>();
  std::vector<std::string> paths;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value item = array.Get(i);
    if (!item.IsString()) throw makeArgumentError(env, "ERR_INVALID_ARG_TYPE", "NativeGatherer: roots must be an array of paths");
    paths.push_back(item.As<Napi::String>().Utf8Value());
  }
  return paths;
}

/** `new NativeGatherer(roots)`, `gather(plan, out)`, `close()`. */
class NativeGatherer final : public Napi::ObjectWrap<NativeGatherer> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeGatherer",
                       {InstanceMethod<&NativeGatherer::gather>("gather"), InstanceMethod<&NativeGatherer::close>("close")});
  }

  explicit NativeGatherer(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeGatherer>(info) {
    const Arguments arguments(info, "NativeGatherer");
    try {
      reader_ = std::make_shared<GatherReader>(pathList(info.Env(), arguments.object(0)));
    } catch (const SysError& error) {
      throw makeJsError(info.Env(), error);
    }
    thread_ = std::make_unique<JobThread>(info.Env());
  }

 private:
  Napi::Value gather(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "NativeGatherer.gather");
    if (thread_->stopped()) throw makeArgumentError(info.Env(), "ERR_INVALID_STATE", "NativeGatherer: closed");
    auto task = std::make_unique<GatherTask>(reader_, arguments.view(0), arguments.view(1));
    return thread_->run(info.Env(), std::move(task), {info.This().As<Napi::Object>(), arguments.object(0), arguments.object(1)});
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    thread_->stop();
    reader_.reset();
    return info.Env().Undefined();
  }

  std::shared_ptr<GatherReader> reader_;
  std::unique_ptr<JobThread> thread_;
};

}  // namespace

void RegisterGather(Napi::Env env, Napi::Object exports) { exports.Set("NativeGatherer", NativeGatherer::define(env)); }

}  // namespace layer_store
