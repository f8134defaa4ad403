// lgetxattr, llistxattr, lsetxattr, lremovexattr by path, and their f… forms by descriptor.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/xattr.hh"

namespace layer_store {

namespace {

using ReadObject = XattrObject (*)(const Arguments&);

XattrObject byPath(const Arguments& args) { return args.path(0); }
XattrObject byDescriptor(const Arguments& args) { return args.descriptor(0); }

void define(Napi::Object exports, ReadObject object, const char* get, const char* list, const char* set,
            const char* remove) {
  defineTwins(exports, get, [object](const Arguments& args) {
    return [target = object(args), name = args.path(1)] { return xattr::get(target, name); };
  });
  defineTwins(exports, list, [object](const Arguments& args) {
    return [target = object(args)] { return xattr::list(target); };
  });
  defineTwins(exports, set, [object](const Arguments& args) {
    return [target = object(args), name = args.path(1), value = args.bytes(2), flags = args.int32Or(3, 0)] {
      xattr::set(target, name, value, flags);
    };
  });
  defineTwins(exports, remove, [object](const Arguments& args) {
    return [target = object(args), name = args.path(1)] { return xattr::remove(target, name); };
  });
}

}  // namespace

void RegisterXattr(Napi::Env, Napi::Object exports) {
  define(exports, byPath, "lgetxattr", "llistxattr", "lsetxattr", "lremovexattr");
  define(exports, byDescriptor, "fgetxattr", "flistxattr", "fsetxattr", "fremovexattr");
}

}  // namespace layer_store
