#include "core/directory_steps.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/fd.hh"
#include "core/kernel.hh"
#include "core/nul_fields.hh"
#include "core/sys_error.hh"
#include "core/xattr.hh"

namespace layer_store {

namespace {

constexpr mode_t kPermissions = 07777;

void check(int result, const char* syscall, const char* path) {
  if (result == -1) throw SysError(errno, syscall, path);
}

void makeFile(int directory, const char* path, mode_t mode, const char* content) {
  const Fd file(uninterrupted(
      [&] { return ::openat(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode); }));
  if (!file.valid()) throw SysError(errno, "openat", path);
  for (size_t left = std::strlen(content); left > 0;) {
    const ssize_t written = uninterrupted([&] { return ::write(file.get(), content, left); });
    if (written == -1) throw SysError(errno, "write", path);
    content += written;
    left -= static_cast<size_t>(written);
  }
}

bool isSkipped(const std::string& name, std::string_view skipped) {
  while (!skipped.empty()) {
    const std::string_view prefix = skipped.substr(0, skipped.find(','));
    if (name.compare(0, prefix.size(), prefix) == 0) return true;
    skipped.remove_prefix(std::min(prefix.size() + 1, skipped.size()));
  }
  return false;
}

void copyAttributes(int directory, const std::string& base, const char* from, const char* to, std::string_view skipped) {
  struct stat wanted, own;
  check(::fstatat(directory, from, &wanted, AT_SYMLINK_NOFOLLOW), "fstatat", from);
  check(::fstatat(directory, to, &own, AT_SYMLINK_NOFOLLOW), "fstatat", to);
  const bool chowned = wanted.st_uid != own.st_uid || wanted.st_gid != own.st_gid;
  if (chowned) check(::fchownat(directory, to, wanted.st_uid, wanted.st_gid, AT_SYMLINK_NOFOLLOW), "fchownat", to);
  const std::string source = base + '/' + from;
  const std::string target = base + '/' + to;
  for (const std::string& name : xattr::list(source)) {
    if (isSkipped(name, skipped)) continue;
    if (const auto value = xattr::get(source, name)) xattr::set(target, name, *value, 0);
  }
  // After the owner: changing that clears bits.
  if (chowned || wanted.st_mode != own.st_mode) {
    check(::fchmodat(directory, to, wanted.st_mode & kPermissions, 0), "fchmodat", to);
  }
  const timespec times[2] = {wanted.st_atim, wanted.st_mtim};
  check(::utimensat(directory, to, times, AT_SYMLINK_NOFOLLOW), "utimensat", to);
}

void unlinkAt(int directory, const char* path, int flags, bool mayBeAbsent) {
  if (::unlinkat(directory, path, flags) == 0 || (mayBeAbsent && errno == ENOENT)) return;
  throw SysError(errno, "unlinkat", path);
}

void runStep(int directory, const std::string& base, std::string_view verb, NulFields& fields) {
  // The fields are read in their own statements: the order of evaluating arguments is anybody's guess.
  const char* first = fields.next();
  if (verb == "unlink") return unlinkAt(directory, first, 0, false);
  if (verb == "unlink-if-there") return unlinkAt(directory, first, 0, true);
  if (verb == "rmdir") return unlinkAt(directory, first, AT_REMOVEDIR, false);
  if (verb == "rmdir-if-there") return unlinkAt(directory, first, AT_REMOVEDIR, true);
  if (verb == "directory") {
    const mode_t mode = static_cast<mode_t>(fields.number());
    return check(::mkdirat(directory, first, mode), "mkdirat", first);
  }
  if (verb == "mode") {
    const mode_t mode = static_cast<mode_t>(fields.number());
    return check(::fchmodat(directory, first, mode, 0), "fchmodat", first);
  }
  if (verb == "owner") {
    const int64_t uid = fields.number();
    const int64_t gid = fields.number();
    return check(::fchownat(directory, first, static_cast<uid_t>(uid), static_cast<gid_t>(gid), AT_SYMLINK_NOFOLLOW),
                 "fchownat", first);
  }
  if (verb == "file") {
    const mode_t mode = static_cast<mode_t>(fields.number());
    return makeFile(directory, first, mode, fields.next());
  }
  const char* second = fields.next();
  if (verb == "link") {
    if (::symlinkat(first, directory, second) == -1) throw SysError(errno, "symlinkat", first, second);
  } else if (verb == "rename") {
    if (::renameat(directory, first, directory, second) == -1) throw SysError(errno, "renameat", first, second);
  } else if (verb == "attributes") {
    copyAttributes(directory, base, first, second, fields.next());
  } else {
    fields.refuse();
  }
}

}  // namespace

void runDirectorySteps(const std::string& directory, const std::string& steps) {
  const Fd base(uninterrupted([&] { return ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
  if (!base.valid()) throw SysError(errno, "open", directory);
  NulFields fields(steps, "directorySteps");
  while (fields.more()) {
    const std::string_view verb = fields.next();
    runStep(base.get(), directory, verb, fields);
  }
}

}  // namespace layer_store
