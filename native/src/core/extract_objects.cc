// Directories, links, devices: everything that is unpacked and is no regular file.
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "core/extract_error.hh"
#include "core/extract_executor.hh"
#include "core/tree_copy.hh"
#include "core/tree_directory.hh"
#include "core/xattr.hh"

namespace layer_store {

void Extractor::applyMetadata(const ObjectRef& object, const struct stat& made, const ObjectMeta& meta, XattrList xattrs,
                              std::string_view path) {
  const bool owner = options_.chown && (made.st_uid != meta.uid || made.st_gid != meta.gid);
  if (owner) metadata_.owner(object, meta.uid, meta.gid, path);
  const bool hadXattrs = !xattrs.empty();
  std::string name;
  std::string_view value;
  while (xattrs.next(name, value)) metadata_.xattr(object, name, value, path);
  if (S_ISLNK(made.st_mode)) return;
  // Last: chown would take set-id bits away (which is why nothing is made with them), an ACL changes the group bits.
  if (hadXattrs || (made.st_mode & 07777) != meta.mode) metadata_.mode(object, meta.mode);
}

void Extractor::makeDirectoryEntry(const Operation& operation) {
  if (operation.path.empty()) {
    setRootMetadata(operation);
    return;
  }
  const Place place = placeOf(operation.path, PathUse::unpacked);
  const int directory = place.directory->fd.get();
  ObjectMeta meta = operation.meta;
  meta.mode = workableMode(meta.mode);
  const mode_t mode = meta.mode & 0777;
  Cleared cleared = Cleared::nothing;
  if (::mkdirat(directory, place.name, mode) != 0) {
    if (errno != EEXIST) throw SysError(errno, "mkdirat");
    cleared = clearWay(place, true);
    if (cleared != Cleared::mergeDirectory && ::mkdirat(directory, place.name, mode) != 0) throw SysError(errno, "mkdirat");
  }
  struct stat st;
  if (!statAt(directory, place.name, st)) throw SysError(ENOENT, "fstatat");
  const InodeKey key = InodeKey::of(st);
  if (cleared == Cleared::mergeDirectory) {
    // What is remembered of it (mode, group) is about to change.
    resolver_.forget();
    dropForeignXattrs(ObjectRef::at(directory, place.name), operation.xattrs);
  } else {
    hideReplaced(place, cleared);
  }
  made_.addDirectory(key);
  applyMetadata(ObjectRef::at(directory, place.name), st, meta, operation.xattrs, operation.path);

  const std::string parent = place.directory->path();
  endLater(parent.empty() ? name_ : parent + "/" + name_, key, operation.meta, meta.mode);
}

/**
 * An entry replaces what the directory had (OCI image-spec layer.md). Only what diffs carry as well: labels, ACLs and the marks of
 * overlay and of the store itself stay.
 */
void Extractor::dropForeignXattrs(const ObjectRef& object, XattrList named) {
  if (!options_.replaceMergedXattrs) return;
  const XattrObject place =
      object.fd >= 0 ? XattrObject(object.fd) : XattrObject(procPath(object.directory, object.name));
  std::vector<std::string> present;
  try {
    present = xattr::list(place);
  } catch (const SysError& error) {
    if (MetadataWriter::isRefusal(error.error())) return;
    throw;
  }
  if (present.empty()) return;
  std::unordered_set<std::string> kept;
  std::string name;
  std::string_view value;
  while (named.next(name, value)) kept.insert(name);
  for (const std::string& attribute : present) {
    const auto has = [&](std::string_view prefix) { return attribute.compare(0, prefix.size(), prefix) == 0; };
    const bool carried = has("user.") && !has("user.overlay.") && !has("user.layerstore.");
    if (carried && kept.count(attribute) == 0) xattr::remove(place, attribute);
  }
}

void Extractor::setRootMetadata(const Operation& operation) {
  Directory& root = *resolver_.root();
  ObjectMeta meta = operation.meta;
  meta.mode = workableMode(meta.mode);
  dropForeignXattrs(ObjectRef::open(root.fd.get()), operation.xattrs);
  applyMetadata(ObjectRef::open(root.fd.get()), statOf(root.fd.get()), meta, operation.xattrs, ".");
  const struct stat st = statOf(root.fd.get());
  root.mode = st.st_mode;
  root.gid = st.st_gid;
  endLater({}, root.key, operation.meta, meta.mode);
}

/** Without privilege a directory that its owner may not fill gets its mode only after everything is in it. */
mode_t Extractor::workableMode(mode_t mode) const {
  constexpr mode_t kMayFill = S_IWUSR | S_IXUSR;
  return ownUid_ != 0 && (mode & kMayFill) != kMayFill ? mode | S_IRWXU : mode;
}

/** A directory that appears again keeps its last times. */
void Extractor::endLater(std::string path, const InodeKey& key, const ObjectMeta& meta, mode_t made) {
  const int mode = made == meta.mode ? -1 : static_cast<int>(meta.mode);
  DirectoryEnd end{std::move(path), key, mode, meta.atime, meta.mtime};
  const auto [known, first] = directoryEndsByKey_.try_emplace(key, directoryEnds_.size());
  if (first) {
    directoryEnds_.push_back(std::move(end));
  } else {
    directoryEnds_[known->second] = std::move(end);
  }
}

void Extractor::makeHardlink(const Operation& operation) {
  const size_t slash = operation.target.rfind('/');
  const std::string targetName(operation.target.substr(slash == std::string_view::npos ? 0 : slash + 1));
  Resolution target;
  struct stat targetStat;
  try {
    target = resolver_.resolve(slash == std::string_view::npos ? std::string_view() : operation.target.substr(0, slash), nullptr);
  } catch (const RefusalError&) {
    throw;
  } catch (const SysError& error) {
    if (error.error() != ENOENT && error.error() != ENOTDIR) throw;
    throw RefusalError(Refusal::invalidLink, ENOENT, "linkat", {}, std::string(operation.target));
  }
  const int from = target.directory->fd.get();
  if (!statAt(from, targetName.c_str(), targetStat) || S_ISDIR(targetStat.st_mode) || isWhiteoutDevice(targetStat)) {
    throw RefusalError(Refusal::invalidLink, ENOENT, "linkat", {}, std::string(operation.target));
  }

  const Place place = placeOf(operation.path, PathUse::unpacked);
  const int directory = place.directory->fd.get();
  const auto link = [&] {
    if (::linkat(from, targetName.c_str(), directory, place.name, 0) == 0) return 0;
    if (errno != EMLINK) return errno;
    ReportPolicy policy = options_.report;
    policy.ownership = policy.ownership || !options_.chown;
    TreeCopyOptions copyOptions;
    copyOptions.report = policy;
    TreeCopier(copyOptions, warnings_, {}).copyObject(from, targetName.c_str(), directory, place.name, std::string(operation.path));
    return 0;
  };
  int error = link();
  if (error == EEXIST) {
    struct stat present;
    const bool exists = statAt(directory, place.name, present);
    if (exists && InodeKey::of(present) == InodeKey::of(targetStat)) {
      // Linked already (or a name linked to itself): its payload, if it has one, stays where it is.
      if (!made_.hasName(place.directory->key, place.nameView)) unpacked(place, kNoIndex);
      return;
    }
    clearWay(place, false);
    error = link();
    // The target was inside what had to go.
    if (error == ENOENT) throw RefusalError(Refusal::invalidLink, ENOENT, "linkat", {}, std::string(operation.target));
  }
  if (error != 0) throw SysError(error, "linkat");
  endWhiteout(place);
  unpacked(place, kNoIndex);
}

void Extractor::makeSymlink(const Operation& operation) {
  const std::string text(operation.target);
  if (text.find('\0') != std::string::npos) throw SysError(EINVAL, "symlinkat");
  const Place place = placeOf(operation.path, PathUse::unpacked);
  const int directory = place.directory->fd.get();
  if (::symlinkat(text.c_str(), directory, place.name) != 0) {
    if (errno != EEXIST) throw SysError(errno, "symlinkat");
    clearWay(place, false);
    if (::symlinkat(text.c_str(), directory, place.name) != 0) throw SysError(errno, "symlinkat");
  }
  endWhiteout(place);
  unpacked(place, kNoIndex);
  const ObjectRef object = ObjectRef::at(directory, place.name);
  // Its owner is known without asking: the caller's, but for the group of a set-group-id directory.
  struct stat made = {};
  made.st_mode = S_IFLNK;
  made.st_uid = ownUid_;
  made.st_gid = (place.directory->mode & S_ISGID) != 0 ? place.directory->gid : ownGid_;
  applyMetadata(object, made, operation.meta, operation.xattrs, operation.path);
  metadata_.times(object, operation.meta.atime, operation.meta.mtime);
}

void Extractor::makeNode(const Operation& operation) {
  if (operation.type != S_IFCHR && operation.type != S_IFBLK && operation.type != S_IFIFO) {
    throw SysError(EINVAL, "batch", {}, {}, "a node type is unknown");
  }
  const Place place = placeOf(operation.path, PathUse::unpacked);
  const int directory = place.directory->fd.get();
  const mode_t mode = operation.type | (operation.meta.mode & 0777);
  const dev_t device = operation.type == S_IFIFO ? 0 : makedev(operation.major, operation.minor);
  int error = ::mknodat(directory, place.name, mode, device) == 0 ? 0 : errno;
  if (error == EEXIST) {
    clearWay(place, false);
    error = ::mknodat(directory, place.name, mode, device) == 0 ? 0 : errno;
  }
  if (error != 0) {
    const bool tolerated = (operation.flags & kFlagTolerate) != 0 || options_.report.devices;
    if (!tolerated || (error != EPERM && error != EACCES && error != ENOTSUP)) throw SysError(error, "mknodat");
    metadata_.warn("mknodat", error, operation.path);
    return;
  }
  endWhiteout(place);
  unpacked(place, kNoIndex);
  struct stat st;
  if (!statAt(directory, place.name, st)) throw SysError(ENOENT, "fstatat");
  const ObjectRef object = ObjectRef::at(directory, place.name);
  applyMetadata(object, st, operation.meta, operation.xattrs, operation.path);
  metadata_.times(object, operation.meta.atime, operation.meta.mtime);
}

void Extractor::moveObject(const Operation& operation) {
  const Place from = placeOf(operation.path, PathUse::unpacked);
  const std::string fromName = name_;
  struct stat st;
  if (!statAt(from.directory->fd.get(), fromName.c_str(), st)) throw SysError(ENOENT, "renameat");
  const uint32_t index = made_.takeName(from.directory->key, fromName);
  // Its entry's name no longer leads to it.
  if (index != kNoIndex) stash_.save(from.directory->fd.get(), fromName.c_str(), index);

  const Place to = placeOf(operation.target, PathUse::unpacked);
  clearWay(to, false);
  if (::renameat(from.directory->fd.get(), fromName.c_str(), to.directory->fd.get(), to.name) != 0) {
    throw SysError(errno, "renameat");
  }
  resolver_.forget();
  endWhiteout(to);
  if (!S_ISDIR(st.st_mode)) unpacked(to, kNoIndex);
}

void Extractor::removeObject(const Operation& operation) {
  const size_t slash = operation.path.rfind('/');
  const std::string name(operation.path.substr(slash == std::string_view::npos ? 0 : slash + 1));
  Resolution parent;
  try {
    parent = resolver_.resolve(slash == std::string_view::npos ? std::string_view() : operation.path.substr(0, slash), nullptr);
  } catch (const SysError& error) {
    if (error.error() == ENOENT || error.error() == ENOTDIR) return;
    throw;
  }
  struct stat st;
  if (statAt(parent.directory->fd.get(), name.c_str(), st)) removeFrom(*parent.directory, name, st);
}

}  // namespace layer_store
