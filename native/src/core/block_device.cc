#include "core/block_device.hh"

#include <linux/fs.h>

#include "core/ioctl.hh"

namespace layer_store::block {

uint64_t size(int fd) {
  uint64_t bytes = 0;
  checkedIoctl(fd, BLKGETSIZE64, "BLKGETSIZE64", &bytes);
  return bytes;
}

void discard(int fd, uint64_t offset, uint64_t length) {
  uint64_t range[2] = {offset, length};
  checkedIoctl(fd, BLKDISCARD, "BLKDISCARD", range);
}

void zero(int fd, uint64_t offset, uint64_t length) {
  uint64_t range[2] = {offset, length};
  checkedIoctl(fd, BLKZEROOUT, "BLKZEROOUT", range);
}

void flush(int fd) { checkedIoctl(fd, BLKFLSBUF, "BLKFLSBUF", 0); }

}  // namespace layer_store::block
