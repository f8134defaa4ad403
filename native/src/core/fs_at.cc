#include "core/fs_at.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>
#include <vector>

#include "core/confined_walk.hh"
#include "core/sys_error.hh"

namespace layer_store::fs_at {

namespace {

/** How often a confined lookup is repeated that a rename elsewhere disturbed; each is as unlikely as the one before. */
constexpr int kLookupAttempts = 64;
constexpr int64_t kNanosecondsPerSecond = 1000000000;

int rawOpenat2(int dirfd, const char* path, const OpenHow& how) {
  return static_cast<int>(uninterrupted([&] { return ::syscall(SYS_openat2, dirfd, path, &how, sizeof how); }));
}

int64_t nanoseconds(const struct statx_timestamp& time) { return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec; }

/** Rounds down, so that the nanoseconds are positive before the epoch too. */
struct timespec toTimespec(const std::optional<int64_t>& ns) {
  if (!ns) return {0, UTIME_OMIT};
  int64_t seconds = *ns / kNanosecondsPerSecond;
  int64_t rest = *ns % kNanosecondsPerSecond;
  if (rest < 0) {
    seconds -= 1;
    rest += kNanosecondsPerSecond;
  }
  return {static_cast<time_t>(seconds), static_cast<long>(rest)};
}

}  // namespace

bool hasOpenat2() {
  // Old container runtimes answer EPERM to calls they do not know: any failure to open the root directory counts.
  static const bool present = [] {
    const Fd fd(rawOpenat2(AT_FDCWD, "/", {O_PATH | O_CLOEXEC, 0, 0}));
    return fd.valid();
  }();
  return present;
}

bool hasFchmodat2() {
  static const bool present = [] {
    ::syscall(SYS_fchmodat2, -1, "", 0, 0);
    return errno != ENOSYS && errno != EPERM;
  }();
  return present;
}

bool hasRenameat2() {
  static const bool present = [] {
    ::syscall(SYS_renameat2, -1, "", -1, "", 0);
    return errno != ENOSYS && errno != EPERM;
  }();
  return present;
}

Fd openat2(int dirfd, const std::string& path, OpenHow how) {
  how.flags |= O_CLOEXEC;
  if (!hasOpenat2()) {
    if (how.resolve != 0) return confinedOpen(dirfd, path, how);
    const int fd = uninterrupted(
        [&] { return ::openat(dirfd, path.c_str(), static_cast<int>(how.flags), static_cast<mode_t>(how.mode)); });
    if (fd == -1) throw SysError(errno, "openat2", path);
    return Fd(fd);
  }
  int fd = -1;
  for (int attempt = 0; attempt < kLookupAttempts; attempt++) {
    fd = rawOpenat2(dirfd, path.c_str(), how);
    if (fd != -1 || errno != EAGAIN || how.resolve == 0) break;
  }
  if (fd == -1) throw SysError(errno, "openat2", path);
  return Fd(fd);
}

FileStat fstatat(int dirfd, const std::string& path, int flags) {
  struct statx info;
  if (uninterrupted([&] { return ::statx(dirfd, path.c_str(), flags, STATX_BASIC_STATS, &info); }) == -1) {
    throw SysError(errno, "statx", path);
  }
  return {
      makedev(info.stx_dev_major, info.stx_dev_minor),
      info.stx_ino,
      info.stx_mode,
      info.stx_nlink,
      info.stx_uid,
      info.stx_gid,
      info.stx_rdev_major,
      info.stx_rdev_minor,
      info.stx_size,
      info.stx_blocks,
      nanoseconds(info.stx_atime),
      nanoseconds(info.stx_mtime),
      nanoseconds(info.stx_ctime),
  };
}

std::string readlinkat(int dirfd, const std::string& path) {
  // A link's text is below PATH_MAX on every file system; growing covers /proc links, which may be longer.
  for (size_t size = 256;; size *= 4) {
    std::string target(size, '\0');
    const ssize_t length = ::readlinkat(dirfd, path.c_str(), target.data(), size);
    if (length == -1) throw SysError(errno, "readlinkat", path);
    if (static_cast<size_t>(length) < size) {
      target.resize(static_cast<size_t>(length));
      return target;
    }
  }
}

void mkdirat(int dirfd, const std::string& path, mode_t mode) {
  if (::mkdirat(dirfd, path.c_str(), mode) == -1) throw SysError(errno, "mkdirat", path);
}

void mknodat(int dirfd, const std::string& path, mode_t mode, uint32_t major, uint32_t minor) {
  if (::mknodat(dirfd, path.c_str(), mode, makedev(major, minor)) == -1) throw SysError(errno, "mknodat", path);
}

void symlinkat(const std::string& target, int dirfd, const std::string& path) {
  if (::symlinkat(target.c_str(), dirfd, path.c_str()) == -1) throw SysError(errno, "symlinkat", target, path);
}

void linkat(int oldDirfd, const std::string& oldPath, int newDirfd, const std::string& newPath, int flags) {
  if (::linkat(oldDirfd, oldPath.c_str(), newDirfd, newPath.c_str(), flags) == -1) {
    throw SysError(errno, "linkat", oldPath, newPath);
  }
}

void unlinkat(int dirfd, const std::string& path, int flags) {
  if (::unlinkat(dirfd, path.c_str(), flags) == -1) throw SysError(errno, "unlinkat", path);
}

void renameat2(int oldDirfd, const std::string& oldPath, int newDirfd, const std::string& newPath, uint32_t flags) {
  // Flags must not be dropped: a missing call is an error unless none is asked for.
  const long result =
      flags == 0 ? ::renameat(oldDirfd, oldPath.c_str(), newDirfd, newPath.c_str())
                 : ::syscall(SYS_renameat2, oldDirfd, oldPath.c_str(), newDirfd, newPath.c_str(), flags);
  if (result == -1) throw SysError(errno, "renameat2", oldPath, newPath);
}

void fchmodByDescriptor(int dirfd, const std::string& path, mode_t mode) {
  const Fd object(uninterrupted([&] {
    return path.empty() ? ::fcntl(dirfd, F_DUPFD_CLOEXEC, 0)
                        : ::openat(dirfd, path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  }));
  if (!object.valid()) throw SysError(errno, "fchmodat", path);
  struct stat info;
  if (::fstat(object.get(), &info) == -1) throw SysError(errno, "fchmodat", path);
  if (S_ISLNK(info.st_mode)) throw SysError(EOPNOTSUPP, "fchmodat", path);
  // An O_PATH descriptor refuses fchmod(2), but its entry in /proc leads to the object and nowhere else.
  const std::string link = "/proc/self/fd/" + std::to_string(object.get());
  if (::chmod(link.c_str(), mode) == -1) throw SysError(errno, "fchmodat", path);
}

void fchmodat(int dirfd, const std::string& path, mode_t mode, int flags) {
  if (flags == 0) {
    if (::fchmodat(dirfd, path.c_str(), mode, 0) == -1) throw SysError(errno, "fchmodat", path);
    return;
  }
  if (hasFchmodat2()) {
    if (::syscall(SYS_fchmodat2, dirfd, path.c_str(), mode, flags) == -1) throw SysError(errno, "fchmodat", path);
    return;
  }
  const bool itself = path.empty() && (flags & AT_EMPTY_PATH) != 0;
  if (path.empty() && !itself) throw SysError(ENOENT, "fchmodat", path);
  fchmodByDescriptor(dirfd, path, mode);
}

void fchownat(int dirfd, const std::string& path, uint32_t uid, uint32_t gid, int flags) {
  if (::fchownat(dirfd, path.c_str(), uid, gid, flags) == -1) throw SysError(errno, "fchownat", path);
}

void utimensat(int dirfd, const std::string& path, std::optional<int64_t> atimeNs, std::optional<int64_t> mtimeNs,
               int flags) {
  const struct timespec times[2] = {toTimespec(atimeNs), toTimespec(mtimeNs)};
  if (::utimensat(dirfd, path.c_str(), times, flags) == -1) throw SysError(errno, "utimensat", path);
}

}  // namespace layer_store::fs_at
