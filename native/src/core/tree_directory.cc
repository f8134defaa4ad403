#include "core/tree_directory.hh"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/sys_error.hh"

namespace layer_store {

namespace {

/** As getdents64(2) lays it out. */
struct RawDirent {
  uint64_t ino;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

constexpr size_t kListingBuffer = 64 * 1024;

}  // namespace

std::vector<DirectoryName> listDirectory(int fd) {
  std::vector<DirectoryName> names;
  alignas(RawDirent) char buffer[kListingBuffer];
  if (::lseek(fd, 0, SEEK_SET) < 0) throw SysError(errno, "lseek");
  for (;;) {
    const long got = ::syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (got < 0) throw SysError(errno, "getdents64");
    if (got == 0) return names;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const RawDirent*>(buffer + at);
      at += entry->length;
      if (std::strcmp(entry->name, ".") == 0 || std::strcmp(entry->name, "..") == 0) continue;
      names.push_back({entry->name, entry->type});
    }
  }
}

bool statAt(int directory, const char* name, struct stat& st) {
  if (::fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  throw SysError(errno, "fstatat");
}

Fd openDirectoryAt(int directory, const char* name) {
  Fd fd(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) throw SysError(errno, "openat");
  return fd;
}

struct stat statOf(int fd) {
  struct stat st;
  if (::fstat(fd, &st) != 0) throw SysError(errno, "fstat");
  return st;
}

}  // namespace layer_store
