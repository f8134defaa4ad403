#include "core/confined_walk.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/fs_at.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

// linux/openat2.h; spelt out because older headers lack it.
constexpr uint64_t kResolveNoXdev = 0x01;
constexpr uint64_t kResolveNoMagicLinks = 0x02;
constexpr uint64_t kResolveNoSymlinks = 0x04;
constexpr uint64_t kResolveBeneath = 0x08;
constexpr uint64_t kResolveInRoot = 0x10;
/** The kernel's own limit (MAXSYMLINKS). */
constexpr int kMaxLinks = 40;
constexpr long kProcSuperMagic = 0x9fa0;

int openOnly(int dirfd, const char* name, int flags) {
  return uninterrupted([&] { return ::openat(dirfd, name, flags | O_CLOEXEC); });
}

/** One lookup: the directories from the root down to where it stands, and the components still to come, last one first. */
class Walk {
 public:
  Walk(int root, const std::string& path, const OpenHow& how) : path_(path), how_(how) {
    const int fd = root == AT_FDCWD ? openOnly(AT_FDCWD, ".", O_PATH | O_DIRECTORY)
                                    : uninterrupted([&] { return ::fcntl(root, F_DUPFD_CLOEXEC, 0); });
    if (fd == -1) fail(errno);
    held_.emplace_back(fd);
    enqueue(path);
  }

  Fd run() {
    while (!pending_.empty()) {
      const std::string name = std::move(pending_.back());
      pending_.pop_back();
      if (name == "..") {
        ascend();
      } else if (name != ".") {
        std::optional<Fd> opened = pending_.empty() ? last(name) : descend(name);
        if (opened) return *std::move(opened);
      }
    }
    // The walk ended on a directory it already holds: the root, or what `.` or `..` named.
    return reopen(".");
  }

 private:
  [[noreturn]] void fail(int error) const { throw SysError(error, "openat2", path_); }
  int here() const { return held_.back().get(); }
  bool forbids(uint64_t flag) const { return (how_.resolve & flag) != 0; }

  Fd reopen(const char* name, int extra = 0) const {
    const int fd = uninterrupted([&] {
      return ::openat(here(), name, static_cast<int>(how_.flags) | extra | O_CLOEXEC, static_cast<mode_t>(how_.mode));
    });
    if (fd == -1) fail(errno);
    return Fd(fd);
  }

  void ascend() {
    if (held_.size() > 1) {
      held_.pop_back();
    } else if (forbids(kResolveBeneath)) {
      fail(EXDEV);
    }
  }

  /** Goes into `name`, or puts what the link of that name says before the rest. */
  std::optional<Fd> descend(const std::string& name) {
    Fd next(openOnly(here(), name.c_str(), O_PATH | O_NOFOLLOW));
    if (!next.valid()) fail(errno);
    struct stat info;
    if (::fstat(next.get(), &info) == -1) fail(errno);
    if (S_ISLNK(info.st_mode)) {
      follow(next);
    } else if (S_ISDIR(info.st_mode)) {
      held_.push_back(std::move(next));
    } else {
      fail(ENOTDIR);
    }
    return std::nullopt;
  }

  /** The final component: opened as asked, a link followed unless O_NOFOLLOW or O_CREAT|O_EXCL says otherwise. */
  std::optional<Fd> last(const std::string& name) {
    const bool exclusive = (how_.flags & O_CREAT) != 0 && (how_.flags & O_EXCL) != 0;
    const Fd found(openOnly(here(), name.c_str(), O_PATH | O_NOFOLLOW));
    if (found.valid() && !exclusive && (how_.flags & O_NOFOLLOW) == 0) {
      struct stat info;
      if (::fstat(found.get(), &info) == -1) fail(errno);
      if (S_ISLNK(info.st_mode)) {
        follow(found);
        return std::nullopt;
      }
    }
    // Should the object have become a link since, the open fails with ELOOP instead of following it.
    return reopen(name.c_str(), O_NOFOLLOW);
  }

  void follow(const Fd& link) {
    if (forbids(kResolveNoSymlinks) || ++links_ > kMaxLinks) fail(ELOOP);
    // The text of a magic link is not what the kernel would follow, so it must not be walked.
    struct statfs fs;
    if (::fstatfs(link.get(), &fs) == -1) fail(errno);
    if (fs.f_type == kProcSuperMagic) fail(forbids(kResolveNoMagicLinks) ? ELOOP : EXDEV);
    const std::string target = fs_at::readlinkat(link.get(), "");
    if (target.empty()) fail(ENOENT);
    enqueue(target);
  }

  void enqueue(const std::string& path) {
    if (path.empty()) fail(ENOENT);
    if (path.front() == '/') {
      if (forbids(kResolveBeneath)) fail(EXDEV);
      if (forbids(kResolveInRoot)) held_.resize(1);
      // Neither: only the first path can be absolute here, and then the descriptor does not matter.
      if (!forbids(kResolveInRoot)) {
        held_.clear();
        held_.emplace_back(openOnly(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
        if (!held_.front().valid()) fail(errno);
      }
    }
    // A trailing slash asks for a directory: `.` after it is looked up in one only.
    std::vector<std::string> components;
    size_t start = 0;
    while (start < path.size()) {
      const size_t end = std::min(path.find('/', start), path.size());
      if (end > start) components.push_back(path.substr(start, end - start));
      start = end + 1;
    }
    if (path.back() == '/') components.emplace_back(".");
    while (!components.empty()) {
      pending_.push_back(std::move(components.back()));
      components.pop_back();
    }
  }

  const std::string& path_;
  const OpenHow& how_;
  std::vector<Fd> held_;
  std::vector<std::string> pending_;
  int links_ = 0;
};

}  // namespace

Fd confinedOpen(int dirfd, const std::string& path, const OpenHow& how) {
  if ((how.resolve & kResolveNoXdev) != 0) throw SysError(ENOSYS, "openat2", path);
  return Walk(dirfd, path, how).run();
}

}  // namespace layer_store
