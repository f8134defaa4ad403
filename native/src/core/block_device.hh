// Block devices: their size, and telling them what is no longer needed. All throw SysError; ENOTTY is no block device.
#pragma once

#include <cstdint>

namespace layer_store::block {

/** BLKGETSIZE64: bytes. */
uint64_t size(int fd);
/** BLKDISCARD: the range may read as anything afterwards. EOPNOTSUPP where the device cannot; multiples of 512. */
void discard(int fd, uint64_t offset, uint64_t length);
/** BLKZEROOUT: the range reads as zeros, written or unmapped as the device likes it. */
void zero(int fd, uint64_t offset, uint64_t length);
/** BLKFLSBUF: writes back and drops the page cache of the device. */
void flush(int fd);

}  // namespace layer_store::block
