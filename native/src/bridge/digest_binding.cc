// NativeDigester: core/openssl_digest.hh on a thread of its own.
#include <napi.h>

#include <memory>
#include <string>

#include "bridge/arguments.hh"
#include "bridge/js_error.hh"
#include "bridge/register.hh"
#include "bridge/tree_job_thread.hh"
#include "core/openssl_digest.hh"

namespace layer_store {

namespace {

class UpdateTask final : public Task {
 public:
  UpdateTask(std::shared_ptr<OpensslDigest> digest, ByteView bytes) : digest_(std::move(digest)), bytes_(bytes) {}
  void execute() override { digest_->update(bytes_.data, bytes_.size); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  std::shared_ptr<OpensslDigest> digest_;
  ByteView bytes_;
};

class FinishTask final : public Task {
 public:
  explicit FinishTask(std::shared_ptr<OpensslDigest> digest) : digest_(std::move(digest)) {}
  void execute() override { sum_ = digest_->finish(); }
  Napi::Value result(Napi::Env env) override { return Napi::Buffer<char>::Copy(env, sum_.data(), sum_.size()); }

 private:
  std::shared_ptr<OpensslDigest> digest_;
  std::string sum_;
};

/** `new NativeDigester(algorithm)`, `update(bytes)`, `finish()`, `close()`. */
class NativeDigester final : public Napi::ObjectWrap<NativeDigester> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeDigester",
                       {InstanceMethod<&NativeDigester::update>("update"), InstanceMethod<&NativeDigester::finish>("finish"),
                        InstanceMethod<&NativeDigester::close>("close")});
  }

  explicit NativeDigester(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeDigester>(info) {
    const Arguments arguments(info, "NativeDigester");
    try {
      digest_ = std::make_shared<OpensslDigest>(arguments.path(0));
    } catch (const std::exception& error) {
      throw makeArgumentError(info.Env(), "ERR_INVALID_ARG_VALUE", std::string("NativeDigester: ") + error.what());
    }
    thread_ = std::make_unique<JobThread>(info.Env());
  }

 private:
  Napi::Value update(const Napi::CallbackInfo& info) {
    const Arguments arguments(info, "NativeDigester.update");
    requireOpen(info.Env());
    auto task = std::make_unique<UpdateTask>(digest_, arguments.view(0));
    return thread_->run(info.Env(), std::move(task), {info.This().As<Napi::Object>(), arguments.object(0)});
  }

  Napi::Value finish(const Napi::CallbackInfo& info) {
    requireOpen(info.Env());
    auto task = std::make_unique<FinishTask>(std::move(digest_));
    return thread_->run(info.Env(), std::move(task), {info.This().As<Napi::Object>()});
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    thread_->stop();
    digest_.reset();
    return info.Env().Undefined();
  }

  void requireOpen(Napi::Env env) const {
    if (thread_->stopped() || !digest_) throw makeArgumentError(env, "ERR_INVALID_STATE", "NativeDigester: finished or closed");
  }

  std::shared_ptr<OpensslDigest> digest_;
  std::unique_ptr<JobThread> thread_;
};

}  // namespace

void RegisterDigest(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeDigester", NativeDigester::define(env));
  exports.Set("knowsDigest", Napi::Function::New(
                                 env,
                                 [](const Napi::CallbackInfo& info) -> Napi::Value {
                                   const Arguments arguments(info, "knowsDigest");
                                   return Napi::Boolean::New(info.Env(), OpensslDigest::knows(arguments.path(0)));
                                 },
                                 "knowsDigest"));
}

}  // namespace layer_store
