// syslogReadAll.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/kernel_log.hh"

namespace layer_store {

namespace {

/** Beyond any kernel's buffer, and within the int the call takes. */
constexpr uint32_t kLargest = 1 << 30;

uint32_t readSize(const Arguments& args, size_t index) {
  const uint32_t size = args.uint32(index);
  if (size > 0 && size <= kLargest) return size;
  throw makeArgumentError(args.env(), "ERR_INVALID_ARG_VALUE", "syslogReadAll: the size is 1 to 1 GiB");
}

}  // namespace

void RegisterKernelLog(Napi::Env, Napi::Object exports) {
  defineTwins(exports, "syslogReadAll", [](const Arguments& args) {
    return [size = readSize(args, 0)] { return readKernelLog(size); };
  });
}

}  // namespace layer_store
