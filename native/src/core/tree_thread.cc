#include "core/tree_thread.hh"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

namespace layer_store {

TreeThread::TreeThread() : thread_([this] { run(); }) {}

TreeThread::~TreeThread() { stop(); }

void TreeThread::post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void TreeThread::stop() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void TreeThread::run() {
  // Signals are the event loop's; here they would only interrupt system calls.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  // Where a seccomp filter forbids it, modes are corrected after the fact: every object is checked anyway.
  if (::unshare(CLONE_FS) == 0) ::umask(0);

  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace layer_store
