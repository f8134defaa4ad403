#include "core/tree_copy.hh"

#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "core/sys_error.hh"

namespace layer_store {

namespace {

/** Pairs of descriptors kept open on the way down; above them a directory is found again as `..` of its child. */
constexpr size_t kOpenLevels = 64;

void reopenAbove(Fd& above, const Fd& below, const InodeKey& key) {
  if (above.valid()) return;
  above = openDirectoryAt(below.get(), "..");
  if (InodeKey::of(statOf(above.get())) != key) throw SysError(ESTALE, "openat");
}

}  // namespace

TreeCopier::TreeCopier(const TreeCopyOptions& options, TreeWarnings& warnings, std::function<void()> checkpoint)
    : options_(options), metadata_(options.report, warnings), checkpoint_(checkpoint), content_(std::move(checkpoint)) {}

TreeCopyStats TreeCopier::copyTree(const std::string& source, const std::string& target) {
  Fd from(::open(source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!from.valid()) throw SysError(errno, "open", source);
  if (::mkdir(target.c_str(), 0700) != 0 && errno != EEXIST) throw SysError(errno, "mkdir", target);
  Fd to(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!to.valid()) throw SysError(errno, "open", target);
  const Fd targetRoot(::fcntl(to.get(), F_DUPFD_CLOEXEC, 0));
  if (!targetRoot.valid()) throw SysError(errno, "fcntl", target);
  targetRoot_ = targetRoot.get();
  try {
    enter(std::move(from), std::move(to), {}, 0);
    while (!levels_.empty()) {
      if (checkpoint_) checkpoint_();
      step();
    }
  } catch (const SysError& error) {
    const std::string path = error.path().empty() ? source + (path_.empty() ? "" : "/" + path_) : error.path();
    throw SysError(error.error(), error.syscall(), path, target, error.detail());
  }
  return stats_;
}

void TreeCopier::enter(Fd source, Fd target, std::string name, size_t pathLength) {
  Level level;
  level.st = statOf(source.get());
  level.sourceKey = InodeKey::of(level.st);
  level.targetKey = InodeKey::of(statOf(target.get()));
  level.names = listDirectory(source.get());
  std::sort(level.names.begin(), level.names.end(),
            [](const DirectoryName& a, const DirectoryName& b) { return a.name < b.name; });
  level.source = std::move(source);
  level.target = std::move(target);
  level.name = std::move(name);
  level.pathLength = pathLength;
  levels_.push_back(std::move(level));
  stats_.directories++;
  if (levels_.size() > kOpenLevels + 1) {
    Level& far = levels_[levels_.size() - 1 - kOpenLevels];
    far.source.reset();
    far.target.reset();
  }
}

void TreeCopier::step() {
  Level& level = levels_.back();
  path_.resize(level.pathLength);
  if (level.next == level.names.size()) {
    leave();
    return;
  }
  const DirectoryName child = std::move(level.names[level.next++]);
  if (!path_.empty()) path_.push_back('/');
  path_ += child.name;
  copyChild(level, child);
}

/** Everything in the directory is done: nothing will touch its times any more. */
void TreeCopier::leave() {
  Level done = std::move(levels_.back());
  levels_.pop_back();
  const ObjectRef target = ObjectRef::open(done.target.get());
  finishObject(ObjectRef::open(done.source.get()), target, done.st, statOf(done.target.get()));
  if (levels_.empty()) return;
  Level& above = levels_.back();
  reopenAbove(above.source, done.source, above.sourceKey);
  reopenAbove(above.target, done.target, above.targetKey);
}

void TreeCopier::copyChild(Level& level, const DirectoryName& child) {
  const char* name = child.name.c_str();
  const int source = level.source.get();
  const int target = level.target.get();
  if (child.type == DT_REG && !options_.hardlink) {
    copyFile(source, name, target, name);
    return;
  }
  struct stat st;
  if (!statAt(source, name, st)) throw SysError(ENOENT, "fstatat");
  if (S_ISDIR(st.st_mode)) {
    copyDirectory(level, child.name);
  } else if (S_ISREG(st.st_mode) && options_.hardlink) {
    shareFile(source, target, name, st);
  } else if (S_ISREG(st.st_mode)) {
    copyFile(source, name, target, name);
  } else {
    copyOther(source, name, target, name, st);
  }
}

/** A file that has as many links as its file system allows is copied, once: its other names become links to the copy. */
void TreeCopier::shareFile(int source, int target, const char* name, const struct stat& st) {
  if (copies_.count(InodeKey::of(st)) == 0) {
    if (::linkat(source, name, target, name, 0) == 0) {
      stats_.links++;
      return;
    }
    if (errno != EMLINK) throw SysError(errno, "linkat");
  }
  copyFile(source, name, target, name);
}

void TreeCopier::copyDirectory(Level& level, const std::string& name) {
  Fd source = openDirectoryAt(level.source.get(), name.c_str());
  if (::mkdirat(level.target.get(), name.c_str(), 0700) != 0 && errno != EEXIST) throw SysError(errno, "mkdirat");
  Fd target = openDirectoryAt(level.target.get(), name.c_str());
  enter(std::move(source), std::move(target), name, path_.size());
}

bool TreeCopier::linkToEarlier(int targetDirectory, const char* targetName, const struct stat& st) {
  if (st.st_nlink < 2) return false;
  const auto [found, first] = copies_.try_emplace(InodeKey::of(st), path_);
  if (first) return false;
  if (::linkat(targetRoot_, found->second.c_str(), targetDirectory, targetName, 0) == 0) {
    stats_.links++;
    return true;
  }
  // The target file system takes fewer links, or shorter paths, than the source: a copy keeps the content right.
  if (errno != EMLINK && errno != ENAMETOOLONG) throw SysError(errno, "linkat");
  found->second = path_;
  return false;
}

void TreeCopier::copyFile(int sourceDirectory, const char* sourceName, int targetDirectory, const char* targetName) {
  const Fd source(::openat(sourceDirectory, sourceName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!source.valid()) throw SysError(errno, "openat");
  const struct stat st = statOf(source.get());
  if (!S_ISREG(st.st_mode)) throw SysError(ESTALE, "openat");
  if (targetRoot_ >= 0 && linkToEarlier(targetDirectory, targetName, st)) return;
  // Writable until it is finished: to set user.* attributes an open descriptor is not enough (xattr(7)).
  const Fd target(::openat(targetDirectory, targetName, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           (st.st_mode & 0777) | S_IWUSR));
  if (!target.valid()) throw SysError(errno, "openat");
  const struct stat made = statOf(target.get());
  stats_.bytes += content_.copy(target.get(), source.get(), st);
  stats_.files++;
  finishObject(ObjectRef::open(source.get()), ObjectRef::open(target.get()), st, made);
}

void TreeCopier::copyOther(int sourceDirectory, const char* sourceName, int targetDirectory, const char* targetName,
                           const struct stat& st) {
  if (targetRoot_ >= 0 && linkToEarlier(targetDirectory, targetName, st)) return;
  if (S_ISLNK(st.st_mode)) {
    char text[PATH_MAX];
    const ssize_t length = ::readlinkat(sourceDirectory, sourceName, text, sizeof text - 1);
    if (length < 0) throw SysError(errno, "readlinkat");
    text[length] = '\0';
    if (::symlinkat(text, targetDirectory, targetName) != 0) throw SysError(errno, "symlinkat");
  } else if (::mknodat(targetDirectory, targetName, (st.st_mode & S_IFMT) | (st.st_mode & 0777), st.st_rdev) != 0) {
    if (!options_.report.devices || !MetadataWriter::isRefusal(errno)) throw SysError(errno, "mknodat");
    metadata_.warn("mknodat", errno, path_);
    return;
  }
  stats_.others++;
  struct stat made;
  if (!statAt(targetDirectory, targetName, made)) throw SysError(ENOENT, "fstatat");
  const ObjectRef target = ObjectRef::at(targetDirectory, targetName);
  finishObject(ObjectRef::at(sourceDirectory, sourceName), target, st, made);
}

void TreeCopier::copyObject(int sourceDirectory, const char* sourceName, int targetDirectory, const char* targetName,
                            const std::string& path) {
  path_ = path;
  struct stat st;
  if (!statAt(sourceDirectory, sourceName, st)) throw SysError(ENOENT, "fstatat");
  if (S_ISREG(st.st_mode)) {
    copyFile(sourceDirectory, sourceName, targetDirectory, targetName);
  } else {
    copyOther(sourceDirectory, sourceName, targetDirectory, targetName, st);
  }
}

/** In this order: a change of owner takes setuid and capabilities away, an ACL among the attributes changes the mode. */
void TreeCopier::finishObject(const ObjectRef& source, const ObjectRef& target, const struct stat& want,
                              const struct stat& made) {
  const bool owner = made.st_uid != want.st_uid || made.st_gid != want.st_gid;
  if (owner) metadata_.owner(target, want.st_uid, want.st_gid, path_);
  copyXattrs(source, target);
  const bool modeAtRisk = owner || !xattrNames_.empty();
  if (!S_ISLNK(want.st_mode) && (modeAtRisk || ((made.st_mode ^ want.st_mode) & 07777) != 0)) {
    metadata_.mode(target, want.st_mode & 07777);
  }
  metadata_.times(target, want.st_atim, want.st_mtim);
}

bool TreeCopier::wanted(const std::string& attribute) const {
  const bool overlay = attribute.rfind("trusted.overlay.", 0) == 0 || attribute.rfind("user.overlay.", 0) == 0;
  if (!overlay) return true;
  return options_.copyOpaque && (attribute == "trusted.overlay.opaque" || attribute == "user.overlay.opaque");
}

/** Leaves the attributes' names in xattrNames_: empty means that none was copied. */
void TreeCopier::copyXattrs(const ObjectRef& source, const ObjectRef& target) {
  xattrNames_.clear();
  const std::string byPath = source.fd >= 0 ? std::string() : procPath(source.directory, source.name);
  const auto list = [&](char* to, size_t size) {
    return source.fd >= 0 ? ::flistxattr(source.fd, to, size) : ::llistxattr(byPath.c_str(), to, size);
  };
  const auto get = [&](const char* name, char* to, size_t size) {
    return source.fd >= 0 ? ::fgetxattr(source.fd, name, to, size) : ::lgetxattr(byPath.c_str(), name, to, size);
  };

  char small[1024];
  ssize_t length = list(small, sizeof small);
  if (length < 0 && errno == ERANGE) {
    xattrNames_.resize(XATTR_LIST_MAX);
    length = list(xattrNames_.data(), xattrNames_.size());
  } else if (length > 0) {
    xattrNames_.assign(small, static_cast<size_t>(length));
  }
  if (length < 0) {
    if (errno != ENOTSUP) throw SysError(errno, "listxattr");
    xattrNames_.clear();
    return;
  }
  xattrNames_.resize(static_cast<size_t>(length));

  for (size_t at = 0; at < xattrNames_.size();) {
    const std::string name(xattrNames_.c_str() + at);
    at += name.size() + 1;
    if (!wanted(name)) continue;
    if (xattrValue_.empty()) xattrValue_.resize(XATTR_SIZE_MAX);
    const ssize_t size = get(name.c_str(), xattrValue_.data(), xattrValue_.size());
    if (size < 0) {
      if (errno == ENODATA) continue;
      throw SysError(errno, "getxattr", {}, {}, name);
    }
    metadata_.xattr(target, name, {xattrValue_.data(), static_cast<size_t>(size)}, path_);
  }
}

}  // namespace layer_store
