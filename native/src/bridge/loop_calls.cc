// loopCtlGetFree, loopConfigure, loopSetFd, loopClrFd, loopSetStatus64, loopGetStatus64, loopSetCapacity, loopSetDirectIo.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/loop.hh"

namespace layer_store {

namespace loop {

// In the structure's own namespace, where argument-dependent lookup from the twins finds it.
static Napi::Value toJs(Napi::Env env, const Status& status) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("device", Napi::BigInt::New(env, status.device));
  object.Set("inode", Napi::BigInt::New(env, status.inode));
  object.Set("number", layer_store::toJs(env, status.number));
  object.Set("offset", layer_store::toJs(env, status.offset));
  object.Set("sizeLimit", layer_store::toJs(env, status.sizeLimit));
  object.Set("flags", layer_store::toJs(env, status.flags));
  object.Set("fileName", layer_store::toJs(env, status.fileName));
  return object;
}

}  // namespace loop

namespace {

loop::Status readStatus(const Arguments& args, size_t index) {
  const Napi::Object object = args.object(index);
  loop::Status status;
  status.offset = uint64Property(object, "offset", 0);
  status.sizeLimit = uint64Property(object, "sizeLimit", 0);
  status.flags = uint32Property(object, "flags", 0);
  status.fileName = pathProperty(object, "fileName").value_or("");
  return status;
}

void defineAttaching(Napi::Object exports) {
  defineTwins(exports, "loopCtlGetFree", [](const Arguments& args) {
    return [control = args.descriptor(0)] { return loop::getFree(control); };
  });
  defineTwins(exports, "loopConfigure", [](const Arguments& args) {
    return [device = args.descriptor(0), backing = args.descriptor(1), status = readStatus(args, 2),
            blockSize = uint32Property(args.object(2), "blockSize", 0)] {
      loop::configure(device, backing, blockSize, status);
    };
  });
  defineTwins(exports, "loopSetFd", [](const Arguments& args) {
    return [device = args.descriptor(0), backing = args.descriptor(1)] { loop::setFd(device, backing); };
  });
  defineTwins(exports, "loopClrFd", [](const Arguments& args) {
    return [device = args.descriptor(0)] { loop::clearFd(device); };
  });
}

void defineStatus(Napi::Object exports) {
  defineTwins(exports, "loopSetStatus64", [](const Arguments& args) {
    return [device = args.descriptor(0), status = readStatus(args, 1)] { loop::setStatus(device, status); };
  });
  defineTwins(exports, "loopGetStatus64", [](const Arguments& args) {
    return [device = args.descriptor(0)] { return loop::getStatus(device); };
  });
  defineTwins(exports, "loopSetCapacity", [](const Arguments& args) {
    return [device = args.descriptor(0)] { loop::setCapacity(device); };
  });
  defineTwins(exports, "loopSetDirectIo", [](const Arguments& args) {
    return [device = args.descriptor(0), enabled = args.boolean(1)] { loop::setDirectIo(device, enabled); };
  });
}

}  // namespace

void RegisterLoop(Napi::Env, Napi::Object exports) {
  defineAttaching(exports);
  defineStatus(exports);
}

}  // namespace layer_store
