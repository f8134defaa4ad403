// Identity of a file system object.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

namespace layer_store {

/** Device and inode number: one object, whatever its names. */
struct InodeKey {
  uint64_t dev = 0;
  uint64_t ino = 0;

  static InodeKey of(const struct stat& st) { return {st.st_dev, st.st_ino}; }
  bool operator==(const InodeKey& other) const { return dev == other.dev && ino == other.ino; }
  bool operator!=(const InodeKey& other) const { return !(*this == other); }
};

struct InodeKeyHash {
  size_t operator()(const InodeKey& key) const {
    return static_cast<size_t>((key.ino ^ (key.dev << 40)) * 0x9E3779B97F4A7C15u);
  }
};

}  // namespace layer_store
