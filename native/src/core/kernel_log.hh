// The kernel's message buffer.
#pragma once

#include <cstddef>
#include <string>

namespace layer_store {

/** The newest `size` bytes of the kernel's log, not consumed (syslog(2), SYSLOG_ACTION_READ_ALL). EPERM without CAP_SYSLOG. */
std::string readKernelLog(size_t size);

}  // namespace layer_store
