// The device-mapper control device. Requests and replies are bytes that the caller lays out (linux/dm-ioctl.h).
#pragma once

#include <cstdint>
#include <string>

namespace layer_store {

/** The fixed part of every request and reply, which nothing may be shorter than. */
extern const size_t kDmHeaderSize;

/** Whether `command` is a request of the control device: others would let the kernel write past the buffer. */
bool isDmCommand(uint32_t command);

/**
 * Makes the request and gives the reply, header and payload, without what the kernel left unused. The buffer's length is the
 * room for the reply (put into `data_size` here); while the kernel says that it is too small, it is doubled and the
 * same request made again. Throws SysError: `ioctl(DM_TABLE_STATUS)` and so on.
 */
std::string dmIoctl(int fd, uint32_t command, std::string request);

}  // namespace layer_store
