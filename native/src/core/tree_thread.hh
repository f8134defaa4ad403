// A thread of its own for file system work.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace layer_store {

/**
 * Runs tasks one after the other on a thread that does not share its umask with the process, so that modes come out as
 * asked without a chmod per file. Tasks must not throw.
 */
class TreeThread {
 public:
  TreeThread();
  /** Runs what was posted, then ends. */
  ~TreeThread();
  TreeThread(const TreeThread&) = delete;
  TreeThread& operator=(const TreeThread&) = delete;

  void post(std::function<void()> task);
  /** Ends after the tasks posted so far. Nothing may be posted afterwards. Safe to call twice. */
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace layer_store
