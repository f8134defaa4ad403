// What one extraction has made: the difference between its own content and a lower layer's.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/tree_inode.hh"

namespace layer_store {

/**
 * Directories are known by inode (they have one name); everything else by directory and name, because a hard link to a
 * lower file is this layer's while the file's other names are not. Names are kept as seeded 64-bit hashes in one
 * open-addressed table (at most 32 bytes per entry, no allocation per file), and nobody who writes an archive can aim for a collision.
 */
class MadeObjects {
 public:
  MadeObjects();

  void addDirectory(const InodeKey& directory) { directories_.insert(directory); }
  bool hasDirectory(const InodeKey& directory) const { return directories_.count(directory) != 0; }
  void forgetDirectory(const InodeKey& directory) { directories_.erase(directory); }

  /** `fileIndex`: the payload that is read back under this name, or kNoIndex. */
  void addName(const InodeKey& directory, std::string_view name, uint32_t fileIndex);
  bool hasName(const InodeKey& directory, std::string_view name) const;
  /** Forgets the name; its payload's index, or kNoIndex. */
  uint32_t takeName(const InodeKey& directory, std::string_view name);

 private:
  uint64_t hash(const InodeKey& directory, std::string_view name) const;

  struct Slot {
    /** kFree, kErased or a name's hash. */
    uint64_t hash;
    uint32_t fileIndex;
  };

  /** The slot of `hash`, or the free one where its search ends. */
  size_t find(uint64_t hash) const;
  void grow();

  uint64_t seed_[2];
  std::unordered_set<InodeKey, InodeKeyHash> directories_;
  /** A power of two in length. */
  std::vector<Slot> slots_;
  /** Slots that are not free, erased ones included. */
  size_t used_ = 0;
};

}  // namespace layer_store
