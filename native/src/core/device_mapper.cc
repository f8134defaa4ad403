#include "core/device_mapper.hh"

#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

const size_t kDmHeaderSize = sizeof(struct dm_ioctl);

namespace {

/** Far beyond the status of any table; the kernel itself stops at a few GB. */
constexpr size_t kLargestReply = size_t{64} << 20;

/** By request number, which is the last byte of the command. */
constexpr const char* kNames[] = {
    "DM_VERSION",     "DM_REMOVE_ALL",   "DM_LIST_DEVICES", "DM_DEV_CREATE",    "DM_DEV_REMOVE",       "DM_DEV_RENAME",
    "DM_DEV_SUSPEND", "DM_DEV_STATUS",   "DM_DEV_WAIT",     "DM_TABLE_LOAD",    "DM_TABLE_CLEAR",      "DM_TABLE_DEPS",
    "DM_TABLE_STATUS", "DM_LIST_VERSIONS", "DM_TARGET_MSG",  "DM_DEV_SET_GEOMETRY", "DM_DEV_ARM_POLL", "DM_GET_TARGET_VERSION",
};

std::string callName(uint32_t command) {
  const size_t number = _IOC_NR(command);
  const std::string name = number < std::size(kNames) ? kNames[number] : "DM_" + std::to_string(number);
  return "ioctl(" + name + ")";
}

}  // namespace

bool isDmCommand(uint32_t command) {
  return _IOC_TYPE(command) == DM_IOCTL && _IOC_SIZE(command) == sizeof(struct dm_ioctl) &&
         _IOC_DIR(command) == (_IOC_READ | _IOC_WRITE);
}

std::string dmIoctl(int fd, uint32_t command, std::string request) {
  for (size_t room = request.size();; room *= 2) {
    std::string reply = request;
    reply.resize(room);
    struct dm_ioctl header;
    std::memcpy(&header, reply.data(), sizeof header);
    header.data_size = static_cast<uint32_t>(room);
    std::memcpy(reply.data(), &header, sizeof header);
    // A failed call leaves the buffer as it was, so an interrupted one can be repeated with it.
    if (uninterrupted([&] { return ::ioctl(fd, command, reply.data()); }) == -1) {
      throw SysError(errno, callName(command));
    }
    std::memcpy(&header, reply.data(), sizeof header);
    if ((header.flags & DM_BUFFER_FULL_FLAG) == 0) {
      reply.resize(std::clamp<size_t>(header.data_size, sizeof header, room));
      return reply;
    }
    if (room > kLargestReply / 2) throw SysError(ENOBUFS, callName(command));
  }
}

}  // namespace layer_store
