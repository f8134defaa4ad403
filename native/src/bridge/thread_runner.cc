// Promises for tasks that each get a thread of their own.
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "bridge/js_error.hh"
#include "bridge/promise_runner.hh"
#include "bridge/tree_job_thread.hh"

namespace layer_store {

namespace {

/**
 * One task under way. Its thread and the environment both hold it; whichever ends first, the other finds what it
 * needs. The JavaScript parts are used and dropped on the JavaScript thread only.
 */
class Flight {
 public:
  static Napi::Promise start(Napi::Env env, std::unique_ptr<Task> task) {
    const auto flight = std::shared_ptr<Flight>(new Flight(env, std::move(task)));
    flight->self_ = flight;
    // Added after the completion function's own hook, hence run before it: afterwards the thread reports no more.
    napi_add_env_cleanup_hook(env, atExit, flight.get());
    const Napi::Promise promise = flight->deferred_.Promise();
    try {
      std::thread([flight] { flight->run(); }).detach();
    } catch (const std::system_error& error) {
      flight->failure_ = std::make_exception_ptr(SysError(error.code().value(), "clone"));
      flight->completion_.NonBlockingCall(flight.get());
    }
    return promise;
  }

 private:
  static void settle(Napi::Env env, Napi::Function, std::nullptr_t*, Flight* flight);
  using Completion = Napi::TypedThreadSafeFunction<std::nullptr_t, Flight, &Flight::settle>;

  Flight(Napi::Env env, std::unique_ptr<Task> task)
      : env_(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        completion_(Completion::New(env, "layer-store", 0, 1)),
        task_(std::move(task)) {}

  void run() {
    try {
      task_->execute();
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!ended_) completion_.NonBlockingCall(this);
  }

  static void atExit(void* flight) {
    auto* self = static_cast<Flight*>(flight);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    // The promise can settle no more; `self_` stays, for the result may not be dropped without an environment.
    self->ended_ = true;
  }

  napi_env env_;
  Napi::Promise::Deferred deferred_;
  Completion completion_;
  std::unique_ptr<Task> task_;
  std::exception_ptr failure_;
  std::shared_ptr<Flight> self_;
  std::mutex mutex_;
  bool ended_ = false;
};

void Flight::settle(Napi::Env env, Napi::Function, std::nullptr_t*, Flight* flight) {
  if (static_cast<napi_env>(env) == nullptr) return;
  const std::shared_ptr<Flight> done = std::move(flight->self_);
  napi_remove_env_cleanup_hook(env, atExit, flight);
  try {
    if (done->failure_) {
      done->deferred_.Reject(failureValue(env, done->failure_));
    } else {
      done->deferred_.Resolve(done->task_->result(env));
    }
  } catch (...) {
    done->deferred_.Reject(failureValue(env, std::current_exception()));
  }
  // The thread called under the lock; it may not have given that back yet.
  const std::lock_guard<std::mutex> lock(done->mutex_);
  done->completion_.Release();
}

}  // namespace

Napi::Promise runOnOwnThread(Napi::Env env, std::unique_ptr<Task> task) {
  return Flight::start(env, std::move(task));
}

}  // namespace layer_store
