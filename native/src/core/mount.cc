#include "core/mount.hh"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "core/sys_error.hh"

namespace layer_store {

void mountFileSystem(const MountRequest& request) {
  if (::mount(request.source.c_str(), request.target.c_str(), request.type.c_str(), request.flags,
              request.data.c_str()) == -1) {
    throw SysError(errno, "mount", request.source, request.target);
  }
}

void mountAt(const std::string& cwd, const MountRequest& request) {
  std::exception_ptr failure;
  std::thread thread([&] {
    try {
      // Without CAP_SYS_ADMIN in the way: CLONE_FS needs no privilege, the mount itself does.
      if (::unshare(CLONE_FS) == -1) throw SysError(errno, "unshare");
      if (::chdir(cwd.c_str()) == -1) throw SysError(errno, "chdir", cwd);
      mountFileSystem(request);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  thread.join();
  if (failure) std::rethrow_exception(failure);
}

void unmount(const std::string& target, int flags) {
  if (::umount2(target.c_str(), flags) == -1) throw SysError(errno, "umount2", target);
}

}  // namespace layer_store
