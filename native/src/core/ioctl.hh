// ioctl(2) that repeats when interrupted and throws what the kernel says.
#pragma once

#include <sys/ioctl.h>

#include <cerrno>
#include <string>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

/** `name` is the request's, for SysError: `ioctl(LOOP_SET_FD)`. */
template <typename Argument>
int checkedIoctl(int fd, unsigned long request, const char* name, Argument argument) {
  const int result = uninterrupted([&] { return ::ioctl(fd, request, argument); });
  if (result == -1) throw SysError(errno, std::string("ioctl(") + name + ")");
  return result;
}

}  // namespace layer_store
