// ficlone, copyFileRange, seekData, seekHole; statfs, syncfs, sync; getFlags, setFlags.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/copy.hh"
#include "core/file_system.hh"

namespace layer_store {

// Outside the unnamed namespace, which argument-dependent lookup from the twins does not search.
static Napi::Value toJs(Napi::Env env, const FileSystemStat& stat) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("type", toJs(env, stat.type));
  object.Set("bsize", toJs(env, stat.bsize));
  object.Set("blocks", toJs(env, stat.blocks));
  object.Set("bfree", toJs(env, stat.bfree));
  object.Set("bavail", toJs(env, stat.bavail));
  object.Set("files", toJs(env, stat.files));
  object.Set("ffree", toJs(env, stat.ffree));
  return object;
}

namespace {

void defineCopying(Napi::Object exports) {
  defineTwins(exports, "ficlone", [](const Arguments& args) {
    return [destination = args.descriptor(0), source = args.descriptor(1)] { ficlone(destination, source); };
  });
  defineTwins(exports, "copyFileRange", [](const Arguments& args) {
    return [source = args.descriptor(0), from = args.optionalInt64(1), destination = args.descriptor(2),
            to = args.optionalInt64(3), length = args.uint64(4)] {
      return copyFileRange(source, from, destination, to, length);
    };
  });
  defineTwins(exports, "seekData", [](const Arguments& args) {
    return [fd = args.descriptor(0), offset = args.int64(1)] { return seekData(fd, offset); };
  });
  defineTwins(exports, "seekHole", [](const Arguments& args) {
    return [fd = args.descriptor(0), offset = args.int64(1)] { return seekHole(fd, offset); };
  });
}

void defineFileSystems(Napi::Object exports) {
  defineTwins(exports, "statfs", [](const Arguments& args) {
    return [path = args.path(0)] { return statFileSystem(path); };
  });
  defineTwins(exports, "syncfs", [](const Arguments& args) {
    return [fd = args.descriptor(0)] { syncFileSystem(fd); };
  });
  defineTwins(exports, "sync", [](const Arguments&) { return [] { syncAll(); }; });
  defineTwins(exports, "getFlags", [](const Arguments& args) {
    return [fd = args.descriptor(0)] { return inodeFlags(fd); };
  });
  defineTwins(exports, "setFlags", [](const Arguments& args) {
    return [fd = args.descriptor(0), flags = args.uint32(1)] { setInodeFlags(fd, flags); };
  });
}

}  // namespace

void RegisterContent(Napi::Env, Napi::Object exports) {
  defineCopying(exports);
  defineFileSystems(exports);
}

}  // namespace layer_store
