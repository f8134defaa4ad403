#include "core/extract_stash.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/sys_error.hh"
#include "core/tree_content.hh"
#include "core/tree_directory.hh"

namespace layer_store {

namespace {

/** Whether `path` resolves to the object `key` now; its directory and name are then where to read it. */
bool findsObject(TreeResolver& resolver, const std::string& path, const InodeKey& key, Resolution& at, std::string& name) {
  const size_t slash = path.rfind('/');
  name = slash == std::string::npos ? path : path.substr(slash + 1);
  try {
    at = resolver.resolve(slash == std::string::npos ? std::string_view() : std::string_view(path).substr(0, slash), nullptr);
  } catch (const SysError& error) {
    // Gone, blocked by a file, or the link now leads outside: not found in every case.
    if (error.error() == ENOENT || error.error() == ENOTDIR || error.error() == ELOOP || error.error() == EXDEV) return false;
    throw;
  }
  struct stat st;
  return statAt(at.directory->fd.get(), name.c_str(), st) && InodeKey::of(st) == key;
}

}  // namespace

DisplacedStash::DisplacedStash(const std::string& directory) {
  if (directory.empty()) return;
  directory_.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.valid()) throw SysError(errno, "open", directory);
}

void DisplacedStash::save(int directoryFd, const char* name, uint32_t index) {
  if (!enabled() || !saved_.insert(index).second) return;
  const std::string stashed = std::to_string(index);
  // Nothing writes to an inode once it is complete, so a second name keeps the content at no cost.
  if (::linkat(directoryFd, name, directory_.get(), stashed.c_str(), 0) != 0) {
    const Fd source(::openat(directoryFd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!source.valid()) throw SysError(errno, "openat");
    const Fd target(::openat(directory_.get(), stashed.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target.valid()) throw SysError(errno, "openat");
    ContentCopier().copy(target.get(), source.get(), statOf(source.get()));
  }
  pending_.push_back(index);
}

void DisplacedStash::watch(uint32_t index, std::string_view entryPath, std::string realPath, const InodeKey& key) {
  if (enabled()) watched_.push_back({index, std::string(entryPath), std::move(realPath), key});
}

void DisplacedStash::saveMisplaced(TreeResolver& resolver) {
  for (const Watched& file : watched_) {
    if (saved_.count(file.index) != 0) continue;
    Resolution at;
    std::string name;
    if (findsObject(resolver, file.entryPath, file.key, at, name)) continue;
    if (!findsObject(resolver, file.realPath, file.key, at, name)) throw SysError(ESTALE, "openat", file.entryPath);
    save(at.directory->fd.get(), name.c_str(), file.index);
  }
  watched_.clear();
}

std::vector<uint32_t> DisplacedStash::take() {
  std::vector<uint32_t> out;
  out.swap(pending_);
  return out;
}

}  // namespace layer_store
