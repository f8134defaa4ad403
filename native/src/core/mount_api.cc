#include "core/mount_api.hh"

#include <fcntl.h>

#include "core/nul_fields.hh"
#include "core/sys_error.hh"

namespace layer_store::mount_api {

namespace {

// linux/mount.h, which cannot be included beside glibc's sys/mount.h.
constexpr unsigned kFsopenCloexec = 0x1;
constexpr unsigned kFspickCloexec = 0x1;
constexpr unsigned kFsmountCloexec = 0x1;
constexpr unsigned kSetFlag = 0;
constexpr unsigned kSetString = 1;
constexpr unsigned kSetBinary = 2;
constexpr unsigned kSetPath = 3;
constexpr unsigned kSetPathEmpty = 4;
constexpr unsigned kSetFd = 5;
constexpr unsigned kCreate = 6;
/** MOVE_MOUNT_F_EMPTY_PATH */
constexpr uint32_t kFromDescriptor = 4;
/** The log keeps eight messages; asking for more is only a bound on a loop. */
constexpr int kLogMessages = 16;

bool answers(long number) {
  // With arguments no kernel accepts, only a missing call says ENOSYS. EPERM comes from the call (or a filter) and is
  // the real call's to report.
  ::syscall(number, -1, nullptr, ~0u, nullptr, 0);
  return errno != ENOSYS;
}

void config(int context, unsigned command, const char* key, const void* value, int aux) {
  if (::syscall(SYS_fsconfig, context, command, key, value, aux) == -1) {
    const int error = errno;
    std::string detail = readLog(context);
    if (detail.empty() && key != nullptr) detail = std::string("option ") + key;
    throw SysError(error, "fsconfig", {}, {}, std::move(detail));
  }
}

}  // namespace

std::string readLog(int context) {
  std::string log;
  char line[1024];
  for (int i = 0; i < kLogMessages; i++) {
    const ssize_t length = uninterrupted([&] { return ::read(context, line, sizeof line); });
    if (length <= 0) break;
    // "e text", "w text" or "i text" for error, warning, information.
    size_t end = static_cast<size_t>(length);
    while (end > 0 && line[end - 1] == '\n') end--;
    const size_t start = end > 2 && line[1] == ' ' ? 2 : 0;
    if (!log.empty()) log += '\n';
    log.append(line + start, end - start);
  }
  return log;
}

Fd fsopen(const std::string& type, uint32_t flags) {
  const long fd = ::syscall(SYS_fsopen, type.c_str(), flags | kFsopenCloexec);
  if (fd == -1) throw SysError(errno, "fsopen", type);
  return Fd(static_cast<int>(fd));
}

Fd fspick(int dirfd, const std::string& path, uint32_t flags) {
  const long fd = ::syscall(SYS_fspick, dirfd, path.c_str(), flags | kFspickCloexec);
  if (fd == -1) throw SysError(errno, "fspick", path);
  return Fd(static_cast<int>(fd));
}

void fsconfigFlag(int context, const std::string& key) { config(context, kSetFlag, key.c_str(), nullptr, 0); }

void fsconfigString(int context, const std::string& key, const std::string& value) {
  config(context, kSetString, key.c_str(), value.c_str(), 0);
}

void fsconfigBinary(int context, const std::string& key, const std::string& value) {
  config(context, kSetBinary, key.c_str(), value.data(), static_cast<int>(value.size()));
}

void fsconfigPath(int context, const std::string& key, const std::string& path, int dirfd) {
  config(context, path.empty() ? kSetPathEmpty : kSetPath, key.c_str(), path.c_str(), dirfd);
}

void fsconfigDescriptor(int context, const std::string& key, int fd) {
  config(context, kSetFd, key.c_str(), nullptr, fd);
}

void fsconfigCommand(int context, uint32_t command) { config(context, command, nullptr, nullptr, 0); }

Fd fsmount(int context, uint32_t flags, uint32_t attributes) {
  const long fd = ::syscall(SYS_fsmount, context, flags | kFsmountCloexec, attributes);
  if (fd == -1) {
    const int error = errno;
    throw SysError(error, "fsmount", {}, {}, readLog(context));
  }
  return Fd(static_cast<int>(fd));
}

void moveMount(int fromDirfd, const std::string& from, int toDirfd, const std::string& to, uint32_t flags) {
  if (::syscall(SYS_move_mount, fromDirfd, from.c_str(), toDirfd, to.c_str(), flags) == -1) {
    throw SysError(errno, "move_mount", from, to);
  }
}

Fd openTree(int dirfd, const std::string& path, uint32_t flags) {
  // OPEN_TREE_CLOEXEC is O_CLOEXEC.
  const long fd = ::syscall(SYS_open_tree, dirfd, path.c_str(), flags | static_cast<uint32_t>(O_CLOEXEC));
  if (fd == -1) throw SysError(errno, "open_tree", path);
  return Fd(static_cast<int>(fd));
}

void mountSetattr(int dirfd, const std::string& path, uint32_t flags, const MountAttributes& attributes) {
  if (::syscall(SYS_mount_setattr, dirfd, path.c_str(), flags, &attributes, sizeof attributes) == -1) {
    throw SysError(errno, "mount_setattr", path);
  }
}

void mountByContext(const std::string& type, const std::string& settings, uint32_t attributes,
                    const std::string& target) {
  const Fd context = fsopen(type, 0);
  NulFields fields(settings, "mountByContext");
  while (fields.more()) {
    const std::string_view kind = fields.next();
    const char* key = fields.next();
    if (kind == "flag") {
      config(context.get(), kSetFlag, key, nullptr, 0);
    } else if (kind == "text") {
      config(context.get(), kSetString, key, fields.next(), 0);
    } else if (kind == "directory") {
      const char* path = fields.next();
      // The context has its own reference: five hundred layers need not be open at once.
      const Fd directory(uninterrupted([&] { return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
      if (!directory.valid()) throw SysError(errno, "open", path);
      config(context.get(), kSetFd, key, nullptr, directory.get());
    } else {
      fields.refuse();
    }
  }
  config(context.get(), kCreate, nullptr, nullptr, 0);
  const Fd mount = fsmount(context.get(), 0, attributes);
  moveMount(mount.get(), "", AT_FDCWD, target, kFromDescriptor);
}

bool hasFsopen() {
  static const bool present = answers(SYS_fsopen);
  return present;
}

bool hasMountSetattr() {
  static const bool present = answers(SYS_mount_setattr);
  return present;
}

}  // namespace layer_store::mount_api
