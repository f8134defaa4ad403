// Directory entries with inode numbers and types, straight from the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace layer_store {

struct Dirent {
  std::string name;
  uint64_t ino;
  uint8_t type;
};

/**
 * From where the descriptor stands, without `.` and `..`. `limit` 0: to the end. Else one read of about that many bytes; an empty
 * answer means the end.
 */
std::vector<Dirent> readDirents(int fd, size_t limit);

}  // namespace layer_store
