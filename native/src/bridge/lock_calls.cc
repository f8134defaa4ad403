// ofdLock, ofdUnlock.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/lock.hh"

namespace layer_store {

namespace {

LockKind readKind(const Arguments& args, size_t index) {
  const std::string kind = args.bytes(index);
  if (kind == "exclusive") return LockKind::exclusive;
  if (kind == "shared") return LockKind::shared;
  throw makeArgumentError(args.env(), "ERR_INVALID_ARG_VALUE", "ofdLock: the kind is 'exclusive' or 'shared'");
}

}  // namespace

void RegisterLock(Napi::Env, Napi::Object exports) {
  defineTwins(exports, "ofdLock", [](const Arguments& args) {
    return [fd = args.descriptor(0), kind = readKind(args, 1)] { return ofdLock(fd, kind); };
  });
  defineTwins(exports, "ofdUnlock", [](const Arguments& args) {
    return [fd = args.descriptor(0)] { ofdUnlock(fd); };
  });
}

}  // namespace layer_store
