#include "core/user_namespace.hh"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

/** Keeps every signal away from the thread: a copy of it must not run handlers that talk to this process. */
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/** A process in a new user namespace that sleeps until it is killed, which is when this object or its parent goes. */
class SleepingProcess {
 public:
  SleepingProcess() {
    const SignalsBlocked blocked;
    // The call itself instead of fork(): its handlers are not for a copy that never returns. No signal when it ends, as that
    // would wake the owner of this process's children.
    pid_ = static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWUSER, nullptr, nullptr, nullptr, nullptr));
    if (pid_ == -1) throw SysError(errno, "clone(CLONE_NEWUSER)");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
  }
  SleepingProcess(const SleepingProcess&) = delete;
  SleepingProcess& operator=(const SleepingProcess&) = delete;
  ~SleepingProcess() {
    ::kill(pid_, SIGKILL);
    uninterrupted([&] { return ::waitpid(pid_, nullptr, __WALL); });
  }

  std::string file(const char* name) const { return "/proc/" + std::to_string(pid_) + "/" + name; }

 private:
  pid_t pid_ = -1;
};

void writeWhole(const std::string& path, const std::string& text) {
  const Fd file(uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC); }));
  if (!file.valid()) throw SysError(errno, "open", path);
  // The kernel takes a map in one write or not at all.
  if (::write(file.get(), text.data(), text.size()) == -1) throw SysError(errno, "write", path);
}

}  // namespace

Fd createUserNamespace(const std::string& uidMap, const std::string& gidMap) {
  const SleepingProcess process;
  // Who may not map any group he likes must give up setgroups(2) first.
  if (::geteuid() != 0) writeWhole(process.file("setgroups"), "deny");
  writeWhole(process.file("uid_map"), uidMap);
  writeWhole(process.file("gid_map"), gidMap);
  const std::string path = process.file("ns/user");
  Fd space(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!space.valid()) throw SysError(errno, "open", path);
  return space;
}

}  // namespace layer_store
