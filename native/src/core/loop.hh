// Loop devices: a file as a block device (linux/loop.h). All throw SysError.
#pragma once

#include <cstdint>
#include <string>

namespace layer_store::loop {

/** What can be told of and asked for an attached file. */
struct Status {
  /** Of the backing file; only read. */
  uint64_t device = 0;
  uint64_t inode = 0;
  /** Number of the loop device; only read. */
  uint32_t number = 0;
  uint64_t offset = 0;
  /** 0: to the end of the file. */
  uint64_t sizeLimit = 0;
  /** LO_FLAGS_READ_ONLY 1, AUTOCLEAR 4, PARTSCAN 8, DIRECT_IO 16. */
  uint32_t flags = 0;
  /** A note for people, cut to 63 bytes. */
  std::string fileName;
};

/** LOOP_CTL_GET_FREE on /dev/loop-control: the number of a device that was free, made if there was none. */
int getFree(int control);
/** LOOP_CONFIGURE (Linux 5.8): file and status in one step. EBUSY: taken meanwhile. EINVAL, ENOTTY: unknown to the kernel. */
void configure(int loop, int backing, uint32_t blockSize, const Status& status);
void setFd(int loop, int backing);
void clearFd(int loop);
void setStatus(int loop, const Status& status);
/** ENXIO: no file is attached. */
Status getStatus(int loop);
/** Reads the size of the backing file again. */
void setCapacity(int loop);
void setDirectIo(int loop, bool enabled);

}  // namespace layer_store::loop
