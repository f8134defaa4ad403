#include "core/lock.hh"

#include <fcntl.h>

#include <cerrno>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

int setLock(int fd, short type) {
  struct flock request = {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  return uninterrupted([&] { return ::fcntl(fd, F_OFD_SETLK, &request); });
}

}  // namespace

bool ofdLock(int fd, LockKind kind) {
  if (setLock(fd, kind == LockKind::exclusive ? F_WRLCK : F_RDLCK) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw SysError(errno, "fcntl(F_OFD_SETLK)");
}

void ofdUnlock(int fd) {
  if (setLock(fd, F_UNLCK) == -1) throw SysError(errno, "fcntl(F_OFD_SETLK)");
}

bool hasOfdLocks() {
  // A kernel that knows the command looks at the descriptor first; one that does not says EINVAL for a good one.
  static const bool present = [] {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) == -1) return false;
    struct flock request = {};
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    const bool known = ::fcntl(pipe[1], F_OFD_GETLK, &request) == 0;
    ::close(pipe[0]);
    ::close(pipe[1]);
    return known;
  }();
  return present;
}

}  // namespace layer_store
