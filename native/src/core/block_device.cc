#include "core/block_device.hh"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store::block {

namespace {

template <typename Argument>
void request(int fd, unsigned long number, const char* name, Argument argument) {
  if (uninterrupted([&] { return ::ioctl(fd, number, argument); }) == -1) {
    throw SysError(errno, std::string("ioctl(") + name + ")");
  }
}

}  // namespace

uint64_t size(int fd) {
  uint64_t bytes = 0;
  request(fd, BLKGETSIZE64, "BLKGETSIZE64", &bytes);
  return bytes;
}

void discard(int fd, uint64_t offset, uint64_t length) {
  uint64_t range[2] = {offset, length};
  request(fd, BLKDISCARD, "BLKDISCARD", range);
}

void zero(int fd, uint64_t offset, uint64_t length) {
  uint64_t range[2] = {offset, length};
  request(fd, BLKZEROOUT, "BLKZEROOUT", range);
}

void flush(int fd) { request(fd, BLKFLSBUF, "BLKFLSBUF", 0); }

}  // namespace layer_store::block
