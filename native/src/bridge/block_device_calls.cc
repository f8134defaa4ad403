// blkGetSize64, blkDiscard, blkZeroout, blkFlsBuf.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/block_device.hh"

namespace layer_store {

void RegisterBlockDevice(Napi::Env, Napi::Object exports) {
  defineTwins(exports, "blkGetSize64", [](const Arguments& args) {
    return [fd = args.descriptor(0)] { return block::size(fd); };
  });
  defineTwins(exports, "blkDiscard", [](const Arguments& args) {
    return [fd = args.descriptor(0), offset = args.uint64(1), length = args.uint64(2)] {
      block::discard(fd, offset, length);
    };
  });
  defineTwins(exports, "blkZeroout", [](const Arguments& args) {
    return [fd = args.descriptor(0), offset = args.uint64(1), length = args.uint64(2)] {
      block::zero(fd, offset, length);
    };
  });
  defineTwins(exports, "blkFlsBuf", [](const Arguments& args) {
    return [fd = args.descriptor(0)] { block::flush(fd); };
  });
}

}  // namespace layer_store
