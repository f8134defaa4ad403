// Deletions of lower content, in the three ways they can be written down (spec/layer-archive.md 4.6, 4.8; drivers.md 3).
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/extract_error.hh"
#include "core/extract_executor.hh"
#include "core/tree_directory.hh"

namespace layer_store {

namespace {

constexpr mode_t kAufsMarkMode = 0444;
constexpr char kAufsPrefix[] = ".wh.";
constexpr char kAufsOpaque[] = ".wh..wh..opq";

}  // namespace

void Extractor::whiteout(const Operation& operation) {
  const Place place = placeOf(operation.path, PathUse::whiteout);
  if (!place.directory) return;
  const int directory = place.directory->fd.get();
  struct stat st;
  const bool exists = statAt(directory, place.name, st);
  if (exists && isWhiteoutDevice(st)) return;

  if (exists && madeHere(place.directory->key, name_, st)) {
    // This layer's own content stays (OCI image-spec layer.md, Whiteouts): only what lies below it in lower layers goes.
    if (!S_ISDIR(st.st_mode)) return;
    if (options_.whiteouts == WhiteoutFormat::remove) {
      resolver_.forget();
      removeLower(openDirectoryAt(directory, place.name).get(), *this);
    } else {
      markOpaque(directory, place.name, operation.meta.uid, operation.meta.gid);
    }
    return;
  }
  if (exists) removeFrom(*place.directory, name_, st);

  if (options_.whiteouts == WhiteoutFormat::overlay) {
    if (::mknodat(directory, place.name, S_IFCHR, makedev(0, 0)) != 0) throw SysError(errno, "mknodat");
    if (options_.chown && (operation.meta.uid != ownUid_ || operation.meta.gid != ownGid_)) {
      metadata_.owner(ObjectRef::at(directory, place.name), operation.meta.uid, operation.meta.gid, operation.path);
    }
  } else if (options_.whiteouts == WhiteoutFormat::aufs) {
    makeAufsMark(directory, kAufsPrefix + name_, operation.meta.uid, operation.meta.gid);
  }
}

void Extractor::opaque(const Operation& operation) {
  whiteoutWalk_ = false;
  const Resolution found = resolver_.resolve(operation.path, this);
  const Directory& directory = *found.directory;
  if (options_.whiteouts == WhiteoutFormat::remove) {
    const Fd content = openDirectoryAt(directory.fd.get(), ".");
    resolver_.forget();
    removeLower(content.get(), *this);
  } else if (directory.parent) {
    markOpaque(directory.parent->fd.get(), directory.name.c_str(), operation.meta.uid, operation.meta.gid);
  } else {
    markOpaque(directory.fd.get(), ".", operation.meta.uid, operation.meta.gid);
  }
}

/** The directory `name` hides what lower layers have there. A refusal is never only reported: deleted files would come back. */
void Extractor::markOpaque(int directoryFd, const char* name, uid_t uid, gid_t gid) {
  const Fd directory = openDirectoryAt(directoryFd, name);
  if (options_.whiteouts == WhiteoutFormat::aufs) {
    makeAufsMark(directory.get(), kAufsOpaque, uid, gid);
    return;
  }
  const char* attribute = options_.userXattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
  if (::fsetxattr(directory.get(), attribute, "y", 1, 0) != 0) throw SysError(errno, "setxattr", {}, {}, attribute);
}

void Extractor::makeAufsMark(int directoryFd, const std::string& name, uid_t uid, gid_t gid) {
  const Fd fd(::openat(directoryFd, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kAufsMarkMode));
  if (!fd.valid()) {
    if (errno == EEXIST) return;
    throw SysError(errno, "openat");
  }
  ObjectMeta meta;
  meta.mode = kAufsMarkMode;
  meta.uid = uid;
  meta.gid = gid;
  applyMetadata(ObjectRef::open(fd.get()), statOf(fd.get()), meta, {}, name);
}

/** aufs format: `name` is being made, so it is no longer deleted. True: it was. */
bool Extractor::takeAufsWhiteout(int directoryFd, const std::string& name) {
  if (::unlinkat(directoryFd, (kAufsPrefix + name).c_str(), 0) == 0) return true;
  // A name too long to be whited out has no whiteout.
  if (errno != ENOENT && errno != ENAMETOOLONG) throw SysError(errno, "unlinkat");
  return false;
}

/** Something was made that aufs may have a whiteout beside. */
void Extractor::endWhiteout(const Place& place) {
  if (options_.whiteouts == WhiteoutFormat::aufs) takeAufsWhiteout(place.directory->fd.get(), name_);
}

/**
 * A directory was made in the place of a whiteout, or of a file that hid the lower directory of that name: the lower content
 * stays hidden.
 */
void Extractor::hideReplaced(const Place& place, Cleared cleared) {
  if (options_.whiteouts == WhiteoutFormat::remove) return;
  const int directory = place.directory->fd.get();
  const bool deleted = options_.whiteouts == WhiteoutFormat::aufs && takeAufsWhiteout(directory, name_);
  if (deleted || cleared == Cleared::replaced) markOpaque(directory, place.name, options_.impliedUid, options_.impliedGid);
}

}  // namespace layer_store
