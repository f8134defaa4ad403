#include "core/loop.hh"

#include <linux/loop.h>

#include <cstring>

#include "core/ioctl.hh"

#ifndef LOOP_CONFIGURE
#define LOOP_CONFIGURE 0x4C0A
struct loop_config {
  __u32 fd;
  __u32 block_size;
  struct loop_info64 info;
  __u64 __reserved[8];
};
#endif

namespace layer_store::loop {

namespace {

struct loop_info64 toInfo(const Status& status) {
  struct loop_info64 info = {};
  info.lo_offset = status.offset;
  info.lo_sizelimit = status.sizeLimit;
  info.lo_flags = status.flags;
  std::strncpy(reinterpret_cast<char*>(info.lo_file_name), status.fileName.c_str(), LO_NAME_SIZE - 1);
  return info;
}

}  // namespace

int getFree(int control) { return checkedIoctl(control, LOOP_CTL_GET_FREE, "LOOP_CTL_GET_FREE", 0); }

void configure(int loop, int backing, uint32_t blockSize, const Status& status) {
  struct loop_config config = {};
  config.fd = static_cast<uint32_t>(backing);
  config.block_size = blockSize;
  config.info = toInfo(status);
  checkedIoctl(loop, LOOP_CONFIGURE, "LOOP_CONFIGURE", &config);
}

void setFd(int loop, int backing) { checkedIoctl(loop, LOOP_SET_FD, "LOOP_SET_FD", backing); }

void clearFd(int loop) { checkedIoctl(loop, LOOP_CLR_FD, "LOOP_CLR_FD", 0); }

void setStatus(int loop, const Status& status) {
  struct loop_info64 info = toInfo(status);
  checkedIoctl(loop, LOOP_SET_STATUS64, "LOOP_SET_STATUS64", &info);
}

Status getStatus(int loop) {
  struct loop_info64 info = {};
  checkedIoctl(loop, LOOP_GET_STATUS64, "LOOP_GET_STATUS64", &info);
  const char* name = reinterpret_cast<const char*>(info.lo_file_name);
  return {info.lo_device, info.lo_inode, info.lo_number, info.lo_offset,
          info.lo_sizelimit, info.lo_flags, std::string(name, ::strnlen(name, LO_NAME_SIZE))};
}

void setCapacity(int loop) { checkedIoctl(loop, LOOP_SET_CAPACITY, "LOOP_SET_CAPACITY", 0); }

void setDirectIo(int loop, bool enabled) {
  checkedIoctl(loop, LOOP_SET_DIRECT_IO, "LOOP_SET_DIRECT_IO", static_cast<unsigned long>(enabled));
}

}  // namespace layer_store::loop
