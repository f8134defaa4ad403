#include "core/tree_resolver.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "core/extract_error.hh"
#include "core/tree_directory.hh"

namespace layer_store {

namespace {

constexpr size_t kSlots = 32;
constexpr int kMaxLinks = 255;
/** A walk keeps one descriptor per level open. */
constexpr size_t kMaxDepth = 4096;

/** A component still to be walked; `clamped`: it comes from an absolute link, so `..` stops at the root. */
struct Step {
  std::string name;
  bool clamped;
};

/** Puts the components of `path` on top of `steps`, first one last. */
void pushSteps(std::vector<Step>& steps, std::string_view path, bool clamped) {
  size_t end = path.size();
  while (end > 0) {
    const size_t slash = path.rfind('/', end - 1);
    const size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    const std::string_view name = path.substr(begin, end - begin);
    if (!name.empty() && name != ".") steps.push_back({std::string(name), clamped});
    if (begin == 0) return;
    end = begin - 1;
  }
}

std::string readLink(int linkFd) {
  char text[PATH_MAX];
  const ssize_t length = ::readlinkat(linkFd, "", text, sizeof text);
  if (length < 0) throw SysError(errno, "readlinkat");
  return std::string(text, static_cast<size_t>(length));
}

}  // namespace

std::string Directory::path() const {
  if (!parent) return {};
  std::vector<const Directory*> chain;
  for (const Directory* at = this; at->parent; at = at->parent.get()) chain.push_back(at);
  std::string out;
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    if (!out.empty()) out.push_back('/');
    out += (*it)->name;
  }
  return out;
}

size_t Directory::depth() const {
  size_t levels = 0;
  for (const Directory* at = this; at->parent; at = at->parent.get()) levels++;
  return levels;
}

TreeResolver::TreeResolver(Fd rootFd) : root_(std::make_shared<Directory>()) {
  const struct stat st = statOf(rootFd.get());
  root_->fd = std::move(rootFd);
  root_->key = InodeKey::of(st);
  root_->mode = st.st_mode;
  root_->gid = st.st_gid;
  slots_.reserve(kSlots);
}

void TreeResolver::forget() {
  slots_.clear();
  lastSlot_ = 0;
}

TreeResolver::Slot* TreeResolver::remembered(std::string_view path) {
  if (lastSlot_ < slots_.size() && slots_[lastSlot_].path == path) return &slots_[lastSlot_];
  for (size_t i = 0; i < slots_.size(); i++) {
    if (slots_[i].path.size() != path.size() || slots_[i].path != path) continue;
    lastSlot_ = i;
    slots_[i].used = ++clock_;
    return &slots_[i];
  }
  return nullptr;
}

void TreeResolver::remember(std::string_view path, const Resolution& found) {
  if (slots_.size() < kSlots) {
    lastSlot_ = slots_.size();
    slots_.push_back({std::string(path), found, ++clock_});
    return;
  }
  size_t oldest = 0;
  for (size_t i = 1; i < slots_.size(); i++) {
    if (slots_[i].used < slots_[oldest].used) oldest = i;
  }
  slots_[oldest] = {std::string(path), found, ++clock_};
  lastSlot_ = oldest;
}

Resolution TreeResolver::resolve(std::string_view path, DirectoryMaker* maker) {
  if (path.empty()) return {root_, false};
  if (const Slot* slot = remembered(path)) return slot->found;

  Resolution at{root_, false};
  size_t walked = 0;
  for (size_t end = path.rfind('/'); end != std::string_view::npos; end = end == 0 ? std::string_view::npos : path.rfind('/', end - 1)) {
    const Slot* slot = remembered(path.substr(0, end));
    if (slot == nullptr) continue;
    at = slot->found;
    walked = end + 1;
    break;
  }

  std::vector<Step> steps;
  pushSteps(steps, path.substr(walked), false);
  int links = 0;
  size_t depth = at.directory->depth();
  while (!steps.empty()) {
    const Step step = std::move(steps.back());
    steps.pop_back();
    if (step.name == "..") {
      if (at.directory->parent) {
        at.directory = at.directory->parent;
        depth--;
      } else if (!step.clamped) {
        throw RefusalError(Refusal::breakout, EXDEV, "openat", {}, "a relative link climbs above the root");
      }
      continue;
    }

    const int here = at.directory->fd.get();
    Fd fd(::openat(here, step.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) {
      if (errno != ENOENT || maker == nullptr) throw SysError(errno, "openat");
      if (!maker->makeDirectory(at.directory, step.name)) return {nullptr, at.throughLink};
      fd.reset(::openat(here, step.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!fd.valid()) throw SysError(errno, "openat");
    }
    struct stat st = statOf(fd.get());
    if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
      if (maker == nullptr) throw SysError(ENOTDIR, "openat");
      if (!maker->replaceObstacle(at.directory, step.name, st)) return {nullptr, at.throughLink};
      fd.reset(::openat(here, step.name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
      if (!fd.valid()) throw SysError(errno, "openat");
      st = statOf(fd.get());
    }
    if (S_ISLNK(st.st_mode)) {
      if (++links > kMaxLinks) throw SysError(ELOOP, "openat");
      const std::string target = readLink(fd.get());
      const bool absolute = !target.empty() && target.front() == '/';
      pushSteps(steps, target, absolute);
      at.throughLink = true;
      if (absolute) {
        at.directory = root_;
        depth = 0;
      }
      continue;
    }

    if (++depth > kMaxDepth) throw SysError(ENAMETOOLONG, "openat");
    auto next = std::make_shared<Directory>();
    next->fd = std::move(fd);
    next->key = InodeKey::of(st);
    next->mode = st.st_mode;
    next->gid = st.st_gid;
    next->parent = std::move(at.directory);
    next->name = step.name;
    at.directory = std::move(next);
    if (links == 0) {
      walked += step.name.size();
      // The last few levels only: a path of thousands of levels would push everything useful out.
      if (steps.size() < kSlots / 4) remember(path.substr(0, walked), at);
      walked++;
    }
  }
  if (links > 0) remember(path, at);
  return at;
}

}  // namespace layer_store
