#include "core/file_system.hh"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

FileSystemStat statFileSystem(const std::string& path) {
  struct statfs info;
  if (uninterrupted([&] { return ::statfs(path.c_str(), &info); }) == -1) throw SysError(errno, "statfs", path);
  return {static_cast<uint32_t>(info.f_type),
          static_cast<uint64_t>(info.f_bsize),
          info.f_blocks,
          info.f_bfree,
          info.f_bavail,
          info.f_files,
          info.f_ffree};
}

void syncFileSystem(int fd) {
  if (::syncfs(fd) == -1) throw SysError(errno, "syncfs");
}

void syncAll() { ::sync(); }

// The requests are declared with long, but the kernel reads and writes an int.
uint32_t inodeFlags(int fd) {
  uint32_t flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1) throw SysError(errno, "ioctl(FS_IOC_GETFLAGS)");
  return flags;
}

void setInodeFlags(int fd, uint32_t flags) {
  if (::ioctl(fd, FS_IOC_SETFLAGS, &flags) == -1) throw SysError(errno, "ioctl(FS_IOC_SETFLAGS)");
}

}  // namespace layer_store
