// Whole file systems: their figures, their flushing; and the inode flags ext2 introduced.
#pragma once

#include <cstdint>
#include <string>

namespace layer_store {

struct FileSystemStat {
  /** The magic number, as 32 bits: some are negative where the field is a signed long. */
  uint32_t type;
  uint64_t bsize;
  uint64_t blocks;
  uint64_t bfree;
  uint64_t bavail;
  uint64_t files;
  uint64_t ffree;
};

FileSystemStat statFileSystem(const std::string& path);
/** Writes back the file system that holds `fd`, and reports errors of that (Linux 5.8). */
void syncFileSystem(int fd);
void syncAll();

/** FS_IOC_GETFLAGS: FS_IMMUTABLE_FL 0x10, FS_APPEND_FL 0x20 and others. */
uint32_t inodeFlags(int fd);
void setInodeFlags(int fd, uint32_t flags);

}  // namespace layer_store
