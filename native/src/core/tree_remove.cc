#include "core/tree_remove.hh"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "core/fd.hh"
#include "core/sys_error.hh"
#include "core/tree_directory.hh"

namespace layer_store {

namespace {

/** Descriptors kept open on the way down; above them a directory is found again as `..` of its child. */
constexpr size_t kOpenLevels = 64;

bool clearProtection(int fd) {
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return false;
  if ((flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) == 0) return false;
  flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
  return ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/** Takes inode flags off an object and its directory. True: something changed, try again. */
bool unprotect(int directoryFd, const char* name, const struct stat& st) {
  bool changed = false;
  if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
    const Fd object(::openat(directoryFd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (object.valid()) changed = clearProtection(object.get());
  }
  // The directory may be open as O_PATH only, which takes no ioctl.
  const Fd directory(::openat(directoryFd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid() && clearProtection(directory.get())) changed = true;
  return changed;
}

void unlinkObject(int directoryFd, const std::string& name, const struct stat& st) {
  const int flags = S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0;
  if (::unlinkat(directoryFd, name.c_str(), flags) == 0 || errno == ENOENT) return;
  const int error = errno;
  const bool refused = error == EPERM || error == EACCES || error == EBUSY;
  if (refused && unprotect(directoryFd, name.c_str(), st)) {
    if (::unlinkat(directoryFd, name.c_str(), flags) == 0 || errno == ENOENT) return;
    throw SysError(errno, "unlinkat", name);
  }
  throw SysError(error, "unlinkat", name);
}

/** For reading; an unreadable directory on its way out is opened up first (removal without privilege). */
Fd openDoomed(int directoryFd, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Fd fd(::openat(directoryFd, name.c_str(), kFlags));
  if (!fd.valid() && errno == EACCES && ::fchmodat(directoryFd, name.c_str(), 0700, 0) == 0) {
    fd.reset(::openat(directoryFd, name.c_str(), kFlags));
  }
  if (!fd.valid() && errno != ENOENT) throw SysError(errno, "openat", name);
  return fd;
}

/** A depth-first walk without recursion: archives can nest deeper than a stack. */
class Sweep {
 public:
  explicit Sweep(RemovalObserver* observer) : observer_(observer) {}

  /** Walks the content of `fd`. `sparing`: ask the observer; `doomed`: the directory itself goes too. */
  void run(Fd fd, bool sparing) {
    enter(std::move(fd), {}, {}, sparing, false);
    while (!levels_.empty()) step();
  }

 private:
  struct Level {
    Fd fd;
    InodeKey key;
    std::vector<DirectoryName> names;
    size_t next = 0;
    std::string name;
    struct stat st;
    bool sparing;
    bool doomed;
  };

  void enter(Fd fd, const std::string& name, const struct stat& st, bool sparing, bool doomed) {
    Level level;
    level.key = InodeKey::of(statOf(fd.get()));
    if (doomed) {
      // Without privilege the directory must be writable to be emptied.
      if ((st.st_mode & 0700) != 0700) ::fchmod(fd.get(), 0700);
    }
    level.names = listDirectory(fd.get());
    level.fd = std::move(fd);
    level.name = name;
    level.st = st;
    level.sparing = sparing;
    level.doomed = doomed;
    levels_.push_back(std::move(level));
    if (levels_.size() > kOpenLevels + 1) levels_[levels_.size() - 1 - kOpenLevels].fd.reset();
  }

  void step() {
    Level& level = levels_.back();
    if (level.next == level.names.size()) {
      leave();
      return;
    }
    const std::string name = std::move(level.names[level.next++].name);
    struct stat st;
    if (!statAt(level.fd.get(), name.c_str(), st)) return;
    const bool directory = S_ISDIR(st.st_mode);
    const bool spared = level.sparing && observer_ != nullptr && observer_->spares(level.key, name, st);
    if (spared && !directory) return;
    if (!directory) {
      if (observer_ != nullptr) observer_->removing(level.fd.get(), level.key, name, st);
      unlinkObject(level.fd.get(), name, st);
      return;
    }
    Fd child = spared ? openDirectoryAt(level.fd.get(), name.c_str()) : openDoomed(level.fd.get(), name);
    if (child.valid()) enter(std::move(child), name, st, spared, !spared);
  }

  void leave() {
    Level done = std::move(levels_.back());
    levels_.pop_back();
    if (levels_.empty()) return;
    Level& above = levels_.back();
    if (!above.fd.valid()) {
      above.fd = openDirectoryAt(done.fd.get(), "..");
      if (InodeKey::of(statOf(above.fd.get())) != above.key) throw SysError(ESTALE, "openat", done.name);
    }
    if (!done.doomed) return;
    if (observer_ != nullptr) observer_->removing(above.fd.get(), above.key, done.name, done.st);
    unlinkObject(above.fd.get(), done.name, done.st);
  }

  RemovalObserver* observer_;
  std::vector<Level> levels_;
};

}  // namespace

void removeEntry(int directoryFd, const std::string& name, RemovalObserver* observer) {
  struct stat st;
  if (!statAt(directoryFd, name.c_str(), st)) return;
  if (S_ISDIR(st.st_mode)) {
    Fd fd = openDoomed(directoryFd, name);
    if (!fd.valid()) return;
    if ((st.st_mode & 0700) != 0700) ::fchmod(fd.get(), 0700);
    Sweep(observer).run(std::move(fd), false);
  }
  if (observer != nullptr) observer->removing(directoryFd, InodeKey::of(statOf(directoryFd)), name, st);
  unlinkObject(directoryFd, name, st);
}

void removeLower(int fd, RemovalObserver& observer) {
  Fd own = openDirectoryAt(fd, ".");
  Sweep(&observer).run(std::move(own), true);
}

void removeTree(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  const size_t slash = trimmed.rfind('/');
  const std::string name = slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") throw SysError(EINVAL, "unlinkat", path);
  const std::string parent = slash == std::string::npos ? "." : trimmed.substr(0, slash + 1);
  const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    if (errno == ENOENT) return;
    throw SysError(errno, "open", path);
  }
  try {
    removeEntry(directory.get(), name, nullptr);
  } catch (const SysError& error) {
    throw SysError(error.error(), error.syscall(), path, {}, error.path());
  }
}

}  // namespace layer_store
