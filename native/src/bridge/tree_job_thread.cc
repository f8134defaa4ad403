#include "bridge/tree_job_thread.hh"

#include <exception>
#include <utility>

#include "bridge/js_error.hh"
#include "core/extract_error.hh"

namespace layer_store {

struct JobThread::Job {
  Job(Napi::Env env, JobThread* jobOwner, std::unique_ptr<Task> jobTask)
      : deferred(Napi::Promise::Deferred::New(env)), owner(jobOwner), task(std::move(jobTask)) {}

  Napi::Promise::Deferred deferred;
  JobThread* owner;
  std::unique_ptr<Task> task;
  std::exception_ptr failure;
  std::vector<Napi::ObjectReference> keepAlive;
};

Napi::Value failureValue(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const RefusalError& error) {
    Napi::Error value = makeJsError(env, error);
    value.Set("kind", Napi::String::New(env, refusalName(error.refusal())));
    return value.Value();
  } catch (const SysError& error) {
    return makeJsError(env, error).Value();
  } catch (const Napi::Error& error) {
    return error.Value();
  } catch (const std::exception& error) {
    return Napi::Error::New(env, error.what()).Value();
  }
}

JobThread::JobThread(Napi::Env env)
    : env_(env),
      completion_(Completion::New(env, "layer-store", 0, 1, this)),
      thread_(std::make_unique<TreeThread>()) {
  // An idle executor must not keep the process alive.
  completion_.Unref(env);
  // Added after the completion function's own hook, hence run before it: the thread ends while it may still report.
  napi_add_env_cleanup_hook(env_, atExit, this);
}

JobThread::~JobThread() { stop(); }

void JobThread::atExit(void* self) { static_cast<JobThread*>(self)->stop(); }

void JobThread::stop() {
  if (!thread_) return;
  thread_->stop();
  thread_.reset();
  napi_remove_env_cleanup_hook(env_, atExit, this);
  completion_.Release();
}

Napi::Promise JobThread::run(Napi::Env env, std::unique_ptr<Task> task, const std::vector<Napi::Object>& keepAlive) {
  auto* job = new Job(env, this, std::move(task));
  for (const Napi::Object& object : keepAlive) job->keepAlive.push_back(Napi::Persistent(object));
  const Napi::Promise promise = job->deferred.Promise();
  if (running_++ == 0) completion_.Ref(env);
  thread_->post([this, job] {
    try {
      job->task->execute();
    } catch (...) {
      job->failure = std::current_exception();
    }
    // Refused only while the environment goes down; nobody waits for the job then, nor may its references be dropped here.
    completion_.NonBlockingCall(job);
  });
  return promise;
}

void JobThread::settle(Napi::Env env, Napi::Function, JobThread*, Job* job) {
  // Without an environment nothing of the job can be released properly; the process, or its thread, is ending.
  if (static_cast<napi_env>(env) == nullptr) return;
  const std::unique_ptr<Job> done(job);
  JobThread& owner = *done->owner;
  if (--owner.running_ == 0 && !owner.stopped()) owner.completion_.Unref(env);
  if (done->failure) {
    done->deferred.Reject(failureValue(env, done->failure));
    return;
  }
  try {
    done->deferred.Resolve(done->task->result(env));
  } catch (...) {
    done->deferred.Reject(failureValue(env, std::current_exception()));
  }
}

}  // namespace layer_store
