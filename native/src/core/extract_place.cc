// The place of an object: its parents, what is in the way there, and what of it is this layer's own.
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "core/extract_error.hh"
#include "core/extract_executor.hh"
#include "core/tree_directory.hh"

namespace layer_store {

namespace {

constexpr mode_t kImpliedMode = 0755;

}  // namespace

Extractor::Place Extractor::placeOf(std::string_view path, PathUse use) {
  const size_t slash = path.rfind('/');
  const std::string_view parent = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  whiteoutWalk_ = use == PathUse::whiteout;
  Resolution found = resolver_.resolve(parent, this);
  // A whiteout is no content: its parents stay lower content unless something is unpacked there.
  if (found.directory && use == PathUse::unpacked) mark(found.directory);
  name_.assign(slash == std::string_view::npos ? path : path.substr(slash + 1));
  return {std::move(found.directory), found.throughLink, name_.c_str(), name_};
}

void Extractor::mark(const std::shared_ptr<Directory>& directory) {
  for (Directory* at = directory.get(); at != nullptr && !at->marked; at = at->parent.get()) {
    made_.addDirectory(at->key);
    at->marked = true;
  }
}

void Extractor::unpacked(const Place& place, uint32_t fileIndex) {
  made_.addName(place.directory->key, place.nameView, fileIndex);
}

bool Extractor::isWhiteoutDevice(const struct stat& st) const {
  return options_.whiteouts == WhiteoutFormat::overlay && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

bool Extractor::madeHere(const InodeKey& directory, const std::string& name, const struct stat& st) const {
  return S_ISDIR(st.st_mode) ? made_.hasDirectory(InodeKey::of(st)) : made_.hasName(directory, name);
}

Extractor::Cleared Extractor::clearWay(const Place& place, bool forDirectory) {
  struct stat st;
  if (!statAt(place.directory->fd.get(), place.name, st)) return Cleared::nothing;
  const bool isDirectory = S_ISDIR(st.st_mode);
  if (isDirectory && forDirectory) return Cleared::mergeDirectory;
  const bool isWhiteout = isWhiteoutDevice(st);
  if (!options_.replaceAcrossTypes && !isWhiteout && isDirectory != forDirectory) {
    throw RefusalError(Refusal::overwriteRefused, isDirectory ? EISDIR : ENOTDIR, "openat");
  }
  removeFrom(*place.directory, name_, st);
  return Cleared::replaced;
}

void Extractor::removeFrom(const Directory& directory, const std::string& name, const struct stat& st) {
  // A remembered directory may lie below a directory that goes, or behind a link that goes.
  if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)) resolver_.forget();
  removeEntry(directory.fd.get(), name, this);
}

bool Extractor::spares(const InodeKey& directory, const std::string& name, const struct stat& st) {
  return madeHere(directory, name, st);
}

void Extractor::removing(int directoryFd, const InodeKey& directory, const std::string& name, const struct stat& st) {
  if (S_ISDIR(st.st_mode)) {
    made_.forgetDirectory(InodeKey::of(st));
    return;
  }
  const uint32_t index = made_.takeName(directory, name);
  if (index != kNoIndex && S_ISREG(st.st_mode)) stash_.save(directoryFd, name.c_str(), index);
}

bool Extractor::makeDirectory(const std::shared_ptr<Directory>& parent, const std::string& name) {
  bool replacesWhiteout = false;
  if (options_.whiteouts == WhiteoutFormat::aufs) {
    struct stat st;
    if (whiteoutWalk_ && statAt(parent->fd.get(), (".wh." + name).c_str(), st)) return false;
    replacesWhiteout = takeAufsWhiteout(parent->fd.get(), name);
  }
  makeImplied(parent, name, replacesWhiteout);
  return true;
}

bool Extractor::replaceObstacle(const std::shared_ptr<Directory>& parent, const std::string& name,
                                const struct stat& st) {
  // Below something that is deleted, or is no directory, there is nothing to delete.
  if (whiteoutWalk_) return false;
  if (!isWhiteoutDevice(st)) throw SysError(ENOTDIR, "openat");
  removeFrom(*parent, name, st);
  makeImplied(parent, name, true);
  return true;
}

void Extractor::makeImplied(const std::shared_ptr<Directory>& parent, const std::string& name, bool opaque) {
  const int directory = parent->fd.get();
  if (::mkdirat(directory, name.c_str(), kImpliedMode) != 0) throw SysError(errno, "mkdirat");
  struct stat st;
  if (!statAt(directory, name.c_str(), st)) throw SysError(ENOENT, "fstatat");
  ObjectMeta meta;
  meta.mode = kImpliedMode;
  meta.uid = options_.impliedUid;
  meta.gid = options_.impliedGid;
  const std::string above = parent->path();
  applyMetadata(ObjectRef::at(directory, name.c_str()), st, meta, {}, above.empty() ? name : above + "/" + name);
  mark(parent);
  made_.addDirectory(InodeKey::of(st));
  if (opaque) markOpaque(directory, name.c_str(), options_.impliedUid, options_.impliedGid);
}

}  // namespace layer_store
