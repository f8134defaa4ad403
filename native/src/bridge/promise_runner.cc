#include "bridge/promise_runner.hh"

#include <exception>
#include <utility>

#include "bridge/js_error.hh"

namespace layer_store {

namespace {

class PromiseRunner final : public Napi::AsyncWorker {
 public:
  PromiseRunner(Napi::Env env, std::unique_ptr<Task> task, const std::vector<Napi::Object>& keepAlive)
      : Napi::AsyncWorker(env, "layer-store"), deferred_(Napi::Promise::Deferred::New(env)), task_(std::move(task)) {
    for (const Napi::Object& object : keepAlive) keepAlive_.push_back(Napi::Persistent(object));
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      task_->execute();
    } catch (...) {
      // Kept whole: AsyncWorker itself would carry only the message across.
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    try {
      if (failure_) std::rethrow_exception(failure_);
      deferred_.Resolve(task_->result(env));
    } catch (const SysError& error) {
      deferred_.Reject(makeJsError(env, error).Value());
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (const std::exception& error) {
      deferred_.Reject(Napi::Error::New(env, error.what()).Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::unique_ptr<Task> task_;
  std::exception_ptr failure_;
  std::vector<Napi::ObjectReference> keepAlive_;
};

}  // namespace

Napi::Promise runTask(Napi::Env env, std::unique_ptr<Task> task, const std::vector<Napi::Object>& keepAlive) {
  // AsyncWorker deletes itself when it is done.
  auto* runner = new PromiseRunner(env, std::move(task), keepAlive);
  const Napi::Promise promise = runner->promise();
  runner->Queue();
  return promise;
}

}  // namespace layer_store
