#include "core/tree_metadata.hh"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/fd.hh"
#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

constexpr uint64_t kMaxWarnings = 1000;

}  // namespace

void TreeWarnings::add(TreeWarning warning) {
  if (kept_ >= kMaxWarnings) {
    dropped_++;
    return;
  }
  kept_++;
  pending_.push_back(std::move(warning));
}

std::vector<TreeWarning> TreeWarnings::take() {
  std::vector<TreeWarning> out;
  out.swap(pending_);
  return out;
}

std::string procPath(int directory, const char* name) {
  return "/proc/self/fd/" + std::to_string(directory) + "/" + name;
}

bool MetadataWriter::isRefusal(int error) {
  return error == EPERM || error == EACCES || error == EINVAL || error == ENOTSUP || error == ENOSYS;
}

void MetadataWriter::warn(const char* syscall, int error, std::string_view path, std::string_view detail) {
  warnings_.add({syscall, error, std::string(path), std::string(detail)});
}

void MetadataWriter::owner(const ObjectRef& object, uid_t uid, gid_t gid, std::string_view path) {
  const int result = object.fd >= 0 ? ::fchown(object.fd, uid, gid)
                                    : ::fchownat(object.directory, object.name, uid, gid, AT_SYMLINK_NOFOLLOW);
  if (result == 0) return;
  if (!policy_.ownership || !isRefusal(errno)) throw SysError(errno, "fchownat");
  warn("fchownat", errno, path);
}

void MetadataWriter::xattr(const ObjectRef& object, const std::string& name, std::string_view value, std::string_view path) {
  if (name.find('\0') != std::string::npos) throw SysError(EINVAL, "setxattr");
  const int result = object.fd >= 0
                         ? ::fsetxattr(object.fd, name.c_str(), value.data(), value.size(), 0)
                         : ::lsetxattr(procPath(object.directory, object.name).c_str(), name.c_str(), value.data(),
                                       value.size(), 0);
  if (result == 0) return;
  if (!policy_.xattrs || !isRefusal(errno)) throw SysError(errno, "setxattr", {}, {}, name);
  warn("setxattr", errno, path, name);
}

void MetadataWriter::mode(const ObjectRef& object, mode_t mode) {
  if (object.fd >= 0) {
    if (::fchmod(object.fd, mode) != 0) throw SysError(errno, "fchmod");
    return;
  }
  if (::syscall(SYS_fchmodat2, object.directory, object.name, mode, AT_SYMLINK_NOFOLLOW) == 0) return;
  if (errno != ENOSYS && errno != EPERM) throw SysError(errno, "fchmodat2");
  // Before Linux 6.6, and under filters that do not know the call.
  const Fd handle(::openat(object.directory, object.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!handle.valid()) throw SysError(errno, "openat");
  if (::chmod(("/proc/self/fd/" + std::to_string(handle.get())).c_str(), mode) != 0) throw SysError(errno, "chmod");
}

void MetadataWriter::times(const ObjectRef& object, const timespec& atime, const timespec& mtime) {
  const timespec both[2] = {atime, mtime};
  const int result = object.fd >= 0 ? ::futimens(object.fd, both)
                                    : ::utimensat(object.directory, object.name, both, AT_SYMLINK_NOFOLLOW);
  if (result != 0) throw SysError(errno, "utimensat");
}

}  // namespace layer_store
