// Promises for tasks that run on a thread of their own, in order.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "bridge/promise_runner.hh"
#include "core/tree_thread.hh"

namespace layer_store {

/** One thread for one JavaScript object. All methods are for the JavaScript thread. */
class JobThread {
 public:
  explicit JobThread(Napi::Env env);
  /** Waits for the task at hand. */
  ~JobThread();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  bool stopped() const { return thread_ == nullptr; }
  /** `keepAlive`: what the task uses, among it the object that owns this thread; held until the promise settles. */
  Napi::Promise run(Napi::Env env, std::unique_ptr<Task> task, const std::vector<Napi::Object>& keepAlive);
  /** Waits for the task at hand, then ends the thread. Safe to call twice. */
  void stop();

 private:
  struct Job;
  static void settle(Napi::Env env, Napi::Function callback, JobThread* context, Job* job);
  static void atExit(void* self);

  using Completion = Napi::TypedThreadSafeFunction<JobThread, Job, &JobThread::settle>;

  napi_env env_;
  Completion completion_;
  std::unique_ptr<TreeThread> thread_;
  unsigned running_ = 0;
};

/** A failure as the JavaScript error to reject with; a RefusalError carries `kind` besides. */
Napi::Value failureValue(Napi::Env env, const std::exception_ptr& failure);

}  // namespace layer_store
