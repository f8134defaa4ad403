#include "core/directory_steps.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/fd.hh"
#include "core/fs_at.hh"
#include "core/kernel.hh"
#include "core/nul_fields.hh"
#include "core/sys_error.hh"
#include "core/whole_io.hh"
#include "core/xattr.hh"

namespace layer_store {

namespace {

constexpr mode_t kPermissions = 07777;

void makeFile(int directory, const char* path, mode_t mode, const char* content) {
  const Fd file(uninterrupted(
      [&] { return ::openat(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode); }));
  if (!file.valid()) throw SysError(errno, "openat", path);
  writeWhole(file.get(), content, std::strlen(content), path);
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
  const FileStat wanted = fs_at::fstatat(directory, from, AT_SYMLINK_NOFOLLOW);
  const FileStat own = fs_at::fstatat(directory, to, AT_SYMLINK_NOFOLLOW);
  const bool chowned = wanted.uid != own.uid || wanted.gid != own.gid;
  if (chowned) fs_at::fchownat(directory, to, wanted.uid, wanted.gid, AT_SYMLINK_NOFOLLOW);
  const std::string source = base + '/' + from;
  const std::string target = base + '/' + to;
  for (const std::string& name : xattr::list(source)) {
    if (isSkipped(name, skipped)) continue;
    if (const auto value = xattr::get(source, name)) xattr::set(target, name, *value, 0);
  }
  // After the owner: changing that clears bits.
  if (chowned || wanted.mode != own.mode) fs_at::fchmodat(directory, to, wanted.mode & kPermissions, 0);
  fs_at::utimensat(directory, to, wanted.atimeNs, wanted.mtimeNs, AT_SYMLINK_NOFOLLOW);
}

void unlinkAt(int directory, const char* path, int flags, bool mayBeAbsent) {
  // Not fs_at's: absent is the usual case, and an exception costs more than the call.
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
    return fs_at::mkdirat(directory, first, mode);
  }
  if (verb == "mode") {
    const mode_t mode = static_cast<mode_t>(fields.number());
    return fs_at::fchmodat(directory, first, mode, 0);
  }
  if (verb == "owner") {
    const int64_t uid = fields.number();
    const int64_t gid = fields.number();
    return fs_at::fchownat(directory, first, static_cast<uint32_t>(uid), static_cast<uint32_t>(gid), AT_SYMLINK_NOFOLLOW);
  }
  if (verb == "file") {
    const mode_t mode = static_cast<mode_t>(fields.number());
    return makeFile(directory, first, mode, fields.next());
  }
  const char* second = fields.next();
  if (verb == "link") {
    fs_at::symlinkat(first, directory, second);
  } else if (verb == "rename") {
    fs_at::renameat2(directory, first, directory, second, 0);
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
