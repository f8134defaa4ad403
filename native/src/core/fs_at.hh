// File system calls relative to a directory descriptor. All throw SysError.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/fd.hh"
#include "core/kernel.hh"

namespace layer_store {

/** What statx(2) says; times in nanoseconds since the epoch. */
struct FileStat {
  uint64_t dev;
  uint64_t ino;
  uint32_t mode;
  uint32_t nlink;
  uint32_t uid;
  uint32_t gid;
  uint32_t rdevMajor;
  uint32_t rdevMinor;
  uint64_t size;
  uint64_t blocks;
  int64_t atimeNs;
  int64_t mtimeNs;
  int64_t ctimeNs;
};

namespace fs_at {

/**
 * openat2(2), O_CLOEXEC added; repeats when a concurrent rename made a confined lookup give up (EAGAIN). Where the kernel
 * or a seccomp filter withholds the call: openat(2) if nothing is to be confined, else a walk that opens component by
 * component (core/confined_walk.hh).
 */
Fd openat2(int dirfd, const std::string& path, OpenHow how);
FileStat fstatat(int dirfd, const std::string& path, int flags);
std::string readlinkat(int dirfd, const std::string& path);
void mkdirat(int dirfd, const std::string& path, mode_t mode);
void mknodat(int dirfd, const std::string& path, mode_t mode, uint32_t major, uint32_t minor);
void symlinkat(const std::string& target, int dirfd, const std::string& path);
void linkat(int oldDirfd, const std::string& oldPath, int newDirfd, const std::string& newPath, int flags);
void unlinkat(int dirfd, const std::string& path, int flags);
void renameat2(int oldDirfd, const std::string& oldPath, int newDirfd, const std::string& newPath, uint32_t flags);
/** With AT_SYMLINK_NOFOLLOW also before Linux 6.6 (fchmodat2); a symbolic link gives EOPNOTSUPP, as the kernel does. */
void fchmodat(int dirfd, const std::string& path, mode_t mode, int flags);
/** What `fchmodat` with AT_SYMLINK_NOFOLLOW does where fchmodat2(2) is missing: by descriptor, through /proc. */
void fchmodByDescriptor(int dirfd, const std::string& path, mode_t mode);
/** UINT32_MAX leaves an id as it is. */
void fchownat(int dirfd, const std::string& path, uint32_t uid, uint32_t gid, int flags);
/** Nothing leaves a time as it is (UTIME_OMIT). */
void utimensat(int dirfd, const std::string& path, std::optional<int64_t> atimeNs, std::optional<int64_t> mtimeNs,
               int flags);

/** Whether openat2(2) can be used; asked once. */
bool hasOpenat2();
/** Whether fchmodat2(2) can be used; asked once. */
bool hasFchmodat2();
bool hasRenameat2();

}  // namespace fs_at

}  // namespace layer_store
