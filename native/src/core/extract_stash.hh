// Keeps the payloads that a later entry of the same layer destroys (spec/layer-archive.md 3.9).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/fd.hh"
#include "core/tree_inode.hh"
#include "core/tree_resolver.hh"

namespace layer_store {

class DisplacedStash {
 public:
  /** An empty `directory` turns everything off. Throws SysError. */
  explicit DisplacedStash(const std::string& directory);

  bool enabled() const { return directory_.valid(); }

  /** Saves the file `name` as payload `index`, unless it was saved before. Throws SysError. */
  void save(int directoryFd, const char* name, uint32_t index);

  /** Payload `index` was written to `entryPath` through a link; it lies at `realPath`. */
  void watch(uint32_t index, std::string_view entryPath, std::string realPath, const InodeKey& key);

  /** Saves every watched payload that is no longer found under its entry's path. Throws SysError with path. */
  void saveMisplaced(TreeResolver& resolver);

  /** Payloads saved since the last call. */
  std::vector<uint32_t> take();

 private:
  struct Watched {
    uint32_t index;
    std::string entryPath;
    std::string realPath;
    InodeKey key;
  };

  Fd directory_;
  std::unordered_set<uint32_t> saved_;
  std::vector<uint32_t> pending_;
  std::vector<Watched> watched_;
};

}  // namespace layer_store
