// One task, one promise: on the libuv pool or on a thread of its own.
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

/**
 * The same on a thread made for it. The pool has four threads by default: calls that wait for one another there (writes to a
 * suspended device and the call that resumes it) would wait for ever. A call still running when the environment ends is left behind.
 */
Napi::Promise runOnOwnThread(Napi::Env env, std::unique_ptr<Task> task);

}  // namespace layer_store
