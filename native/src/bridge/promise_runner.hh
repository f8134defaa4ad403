// The only place that touches asynchronous work: one task, one promise.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

namespace layer_store {

/** Work for the libuv pool. Failures are exceptions: SysError keeps errno, call and path; others become plain errors. */
class Task {
 public:
  virtual ~Task() = default;
  /** On a pool thread. No JavaScript value may be touched. */
  virtual void execute() = 0;
  /** On the JavaScript thread, after `execute` returned normally. */
  virtual Napi::Value result(Napi::Env env) = 0;
};

/** Queues the task. `keepAlive`: objects (buffers) whose memory the task uses; held until the promise settles. */
Napi::Promise runTask(Napi::Env env, std::unique_ptr<Task> task, const std::vector<Napi::Object>& keepAlive = {});

}  // namespace layer_store
