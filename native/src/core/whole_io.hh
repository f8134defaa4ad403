// Reading and writing that goes on until all is done: read(2) and write(2) may do less than they are asked.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

/** Where the descriptor stands. Throws SysError of `write`, with `path`. */
inline void writeWhole(int fd, const void* from, size_t size, const std::string& path = {}) {
  for (size_t done = 0; done < size;) {
    const ssize_t part = uninterrupted([&] { return ::write(fd, static_cast<const uint8_t*>(from) + done, size - done); });
    if (part == -1) throw SysError(errno, "write", path);
    done += static_cast<size_t>(part);
  }
}

/** At `offset`. Throws SysError of `write`. */
inline void writeWholeAt(int fd, const void* from, size_t size, uint64_t offset) {
  for (size_t done = 0; done < size;) {
    const ssize_t part = uninterrupted([&] {
      return ::pwrite(fd, static_cast<const uint8_t*>(from) + done, size - done, static_cast<off_t>(offset + done));
    });
    if (part == -1) throw SysError(errno, "write");
    done += static_cast<size_t>(part);
  }
}

/** From `offset`. Returns the bytes read, fewer only at the file's end. Throws SysError of `pread`. */
inline size_t readWholeAt(int fd, void* to, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t part = uninterrupted([&] {
      return ::pread(fd, static_cast<uint8_t*>(to) + done, size - done, static_cast<off_t>(offset + done));
    });
    if (part == -1) throw SysError(errno, "pread");
    if (part == 0) break;
    done += static_cast<size_t>(part);
  }
  return done;
}

}  // namespace layer_store
