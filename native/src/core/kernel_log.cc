#include "core/kernel_log.hh"

#include <sys/klog.h>

#include <cerrno>

#include "core/sys_error.hh"

namespace layer_store {

namespace {

constexpr int kReadAll = 3;  // SYSLOG_ACTION_READ_ALL, which no header of the C library names

}  // namespace

std::string readKernelLog(size_t size) {
  std::string text(size, '\0');
  const int length = ::klogctl(kReadAll, text.data(), static_cast<int>(size));
  if (length == -1) throw SysError(errno, "syslog");
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace layer_store
