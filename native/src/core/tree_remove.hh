// Removal of whole trees relative to descriptors.
#pragma once

#include <sys/stat.h>

#include <string>

#include "core/tree_inode.hh"

namespace layer_store {

/** Watches a removal. */
class RemovalObserver {
 public:
  virtual ~RemovalObserver() = default;
  /** Asked by `removeLower` for every object: true spares it (of a directory: the directory, not all of its content). */
  virtual bool spares(const InodeKey& directory, const std::string& name, const struct stat& st) = 0;
  /** About to go. */
  virtual void removing(int directoryFd, const InodeKey& directory, const std::string& name, const struct stat& st) = 0;
};

/**
 * Removes `name` with everything in it, following nothing, holding a bounded number of descriptors however deep the tree
 * is. Immutable and append-only flags are cleared where they are in the way. Missing is fine. Throws SysError; a mount
 * point below is EBUSY.
 */
void removeEntry(int directoryFd, const std::string& name, RemovalObserver* observer);

/** Removes what the observer does not spare beneath the directory `fd` (open for reading), at any depth. */
void removeLower(int fd, RemovalObserver& observer);

/** Removes `path` of the host; its parents are followed, itself not. Missing is fine. Throws SysError with the path. */
void removeTree(const std::string& path);

}  // namespace layer_store
