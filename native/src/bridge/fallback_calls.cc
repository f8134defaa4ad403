// The fallbacks under names of their own, so that they can be tested where the kernel does not need them.
#include <napi.h>

#include "bridge/open_how.hh"
#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/confined_walk.hh"
#include "core/fs_at.hh"

namespace layer_store {

void RegisterFallbacks(Napi::Env, Napi::Object exports) {
  defineTwins(exports, "confinedOpen", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), how = readOpenHow(args, 2)] {
      return confinedOpen(dirfd, path, how).release();
    };
  });
  defineTwins(exports, "fchmodByDescriptor", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), mode = args.uint32(2)] {
      fs_at::fchmodByDescriptor(dirfd, path, mode);
    };
  });
}

}  // namespace layer_store
