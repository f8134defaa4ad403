// mount, mountAt, umount2; mountByContext; fsopen, fspick, fsconfig…, fsmount, moveMount, openTree, mountSetattr.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/mount.hh"
#include "core/mount_api.hh"

namespace layer_store {

namespace {

MountRequest readRequest(const Arguments& args, size_t first) {
  return {args.optionalPath(first).value_or(""), args.path(first + 1), args.optionalPath(first + 2).value_or(""),
          args.uint64Or(first + 3, 0), args.optionalPath(first + 4).value_or("")};
}

MountAttributes readAttributes(const Arguments& args, size_t index) {
  const Napi::Object object = args.object(index);
  return {uint64Property(object, "set", 0), uint64Property(object, "clear", 0),
          uint64Property(object, "propagation", 0), uint64Property(object, "usernsFd", 0)};
}

void defineClassic(Napi::Object exports) {
  defineTwins(exports, "mount", [](const Arguments& args) {
    return [request = readRequest(args, 0)] { mountFileSystem(request); };
  });
  defineTwins(exports, "mountAt", [](const Arguments& args) {
    return [cwd = args.path(0), request = readRequest(args, 1)] { mountAt(cwd, request); };
  });
  defineTwins(exports, "umount2", [](const Arguments& args) {
    return [target = args.path(0), flags = args.int32Or(1, 0)] { unmount(target, flags); };
  });
}

void defineContext(Napi::Object exports) {
  defineTwins(exports, "fsopen", [](const Arguments& args) {
    return [type = args.path(0), flags = args.uint32Or(1, 0)] { return mount_api::fsopen(type, flags).release(); };
  });
  defineTwins(exports, "fspick", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), flags = args.uint32Or(2, 0)] {
      return mount_api::fspick(dirfd, path, flags).release();
    };
  });
  defineTwins(exports, "fsconfigFlag", [](const Arguments& args) {
    return [context = args.descriptor(0), key = args.path(1)] { mount_api::fsconfigFlag(context, key); };
  });
  defineTwins(exports, "fsconfigString", [](const Arguments& args) {
    return [context = args.descriptor(0), key = args.path(1), value = args.path(2)] {
      mount_api::fsconfigString(context, key, value);
    };
  });
  defineTwins(exports, "fsconfigBinary", [](const Arguments& args) {
    return [context = args.descriptor(0), key = args.path(1), value = args.bytes(2)] {
      mount_api::fsconfigBinary(context, key, value);
    };
  });
  defineTwins(exports, "fsconfigPath", [](const Arguments& args) {
    return [context = args.descriptor(0), key = args.path(1), path = args.path(2), dirfd = args.descriptor(3)] {
      mount_api::fsconfigPath(context, key, path, dirfd);
    };
  });
  defineTwins(exports, "fsconfigFd", [](const Arguments& args) {
    return [context = args.descriptor(0), key = args.path(1), fd = args.descriptor(2)] {
      mount_api::fsconfigDescriptor(context, key, fd);
    };
  });
  defineTwins(exports, "fsconfigCommand", [](const Arguments& args) {
    return [context = args.descriptor(0), command = args.uint32(1)] { mount_api::fsconfigCommand(context, command); };
  });
}

void defineWhole(Napi::Object exports) {
  defineTwins(exports, "mountByContext", [](const Arguments& args) {
    return [type = args.path(0), settings = args.bytes(1), attributes = args.uint32(2), target = args.path(3)] {
      mount_api::mountByContext(type, settings, attributes, target);
    };
  });
}

void defineTrees(Napi::Object exports) {
  defineTwins(exports, "fsmount", [](const Arguments& args) {
    return [context = args.descriptor(0), flags = args.uint32Or(1, 0), attributes = args.uint32Or(2, 0)] {
      return mount_api::fsmount(context, flags, attributes).release();
    };
  });
  defineTwins(exports, "moveMount", [](const Arguments& args) {
    return [fromDirfd = args.descriptor(0), from = args.path(1), toDirfd = args.descriptor(2), to = args.path(3),
            flags = args.uint32Or(4, 0)] { mount_api::moveMount(fromDirfd, from, toDirfd, to, flags); };
  });
  defineTwins(exports, "openTree", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), flags = args.uint32Or(2, 0)] {
      return mount_api::openTree(dirfd, path, flags).release();
    };
  });
  defineTwins(exports, "mountSetattr", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), flags = args.uint32(2),
            attributes = readAttributes(args, 3)] { mount_api::mountSetattr(dirfd, path, flags, attributes); };
  });
}

}  // namespace

void RegisterMount(Napi::Env, Napi::Object exports) {
  defineClassic(exports);
  defineContext(exports);
  defineWhole(exports);
  defineTrees(exports);
}

}  // namespace layer_store
