// The end of an extraction: what can only be done when nothing is unpacked any more.
#include <algorithm>
#include <cerrno>

#include "core/extract_error.hh"
#include "core/extract_executor.hh"
#include "core/tree_directory.hh"

namespace layer_store {

ExtractResult Extractor::finish() {
  if (file_.fd.valid()) throw SysError(EINVAL, "batch", file_.path, {}, "a file is still open");
  // First: it only reads, but reading a directory may touch its access time.
  stash_.saveMisplaced(resolver_);

  std::sort(directoryEnds_.begin(), directoryEnds_.end(), [](const DirectoryEnd& a, const DirectoryEnd& b) {
    const auto depth = [](const std::string& path) {
      return path.empty() ? -1 : std::count(path.begin(), path.end(), '/');
    };
    const auto depthA = depth(a.path);
    const auto depthB = depth(b.path);
    return depthA != depthB ? depthA > depthB : a.path < b.path;
  });
  for (const DirectoryEnd& end : directoryEnds_) {
    try {
      endDirectory(end);
    } catch (const SysError& error) {
      throw SysError(error.error(), error.syscall(), end.path);
    }
  }
  directoryEnds_.clear();
  directoryEndsByKey_.clear();

  result_.displaced = stash_.take();
  result_.warnings = warnings_.take();
  if (warnings_.dropped() > 0) {
    result_.warnings.push_back({"warnings", EOVERFLOW, {}, std::to_string(warnings_.dropped()) + " more not listed"});
  }
  return std::exchange(result_, {});
}

/** A directory that was removed or replaced since is passed over. */
void Extractor::endDirectory(const DirectoryEnd& end) {
  if (end.path.empty()) {
    const ObjectRef root = ObjectRef::open(resolver_.root()->fd.get());
    if (end.mode >= 0) metadata_.mode(root, static_cast<mode_t>(end.mode));
    metadata_.times(root, end.atime, end.mtime);
    return;
  }
  const size_t slash = end.path.rfind('/');
  const std::string name = slash == std::string::npos ? end.path : end.path.substr(slash + 1);
  Resolution parent;
  try {
    parent = resolver_.resolve(slash == std::string::npos ? std::string_view() : std::string_view(end.path).substr(0, slash),
                               nullptr);
  } catch (const SysError& error) {
    if (error.error() == ENOENT || error.error() == ENOTDIR || error.error() == ELOOP || error.error() == EXDEV) return;
    throw;
  }
  struct stat st;
  if (!statAt(parent.directory->fd.get(), name.c_str(), st) || InodeKey::of(st) != end.key) return;
  const ObjectRef object = ObjectRef::at(parent.directory->fd.get(), name.c_str());
  if (end.mode >= 0) metadata_.mode(object, static_cast<mode_t>(end.mode));
  metadata_.times(object, end.atime, end.mtime);
}

}  // namespace layer_store
