// openat2, fstatat, readlinkat, mkdirat, mknodat, symlinkat, linkat, unlinkat, renameat2, fchmodat, fchownat, utimensat,
// getdents, directorySteps.
#include <napi.h>

#include "bridge/open_how.hh"
#include "bridge/register.hh"
#include "bridge/stat_object.hh"
#include "bridge/twins.hh"
#include "core/directory_steps.hh"
#include "core/dirents.hh"
#include "core/fs_at.hh"

namespace layer_store {

// Outside the unnamed namespace, which argument-dependent lookup from the twins does not search.
static Napi::Value toJs(Napi::Env env, const std::vector<Dirent>& entries) {
  Napi::Array array = Napi::Array::New(env, entries.size());
  for (size_t i = 0; i < entries.size(); i++) {
    const Napi::HandleScope scope(env);
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", toJs(env, entries[i].name));
    object.Set("ino", Napi::BigInt::New(env, entries[i].ino));
    object.Set("type", Napi::Number::New(env, entries[i].type));
    array.Set(static_cast<uint32_t>(i), object);
  }
  return array;
}

namespace {

void defineReaders(Napi::Object exports) {
  defineTwins(exports, "openat2", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), how = readOpenHow(args, 2)] {
      return fs_at::openat2(dirfd, path, how).release();
    };
  });
  defineTwins(exports, "fstatat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), flags = args.int32Or(2, 0)] {
      return fs_at::fstatat(dirfd, path, flags);
    };
  });
  defineTwins(exports, "readlinkat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1)] { return fs_at::readlinkat(dirfd, path); };
  });
  defineTwins(exports, "getdents", [](const Arguments& args) {
    return [fd = args.descriptor(0), limit = args.uint32Or(1, 0)] { return readDirents(fd, limit); };
  });
}

void defineMakers(Napi::Object exports) {
  defineTwins(exports, "mkdirat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), mode = args.uint32Or(2, 0777)] {
      fs_at::mkdirat(dirfd, path, mode);
    };
  });
  defineTwins(exports, "mknodat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), mode = args.uint32(2), major = args.uint32Or(3, 0),
            minor = args.uint32Or(4, 0)] { fs_at::mknodat(dirfd, path, mode, major, minor); };
  });
  defineTwins(exports, "symlinkat", [](const Arguments& args) {
    return [target = args.path(0), dirfd = args.descriptor(1), path = args.path(2)] {
      fs_at::symlinkat(target, dirfd, path);
    };
  });
  defineTwins(exports, "linkat", [](const Arguments& args) {
    return [from = args.descriptor(0), old = args.path(1), to = args.descriptor(2), path = args.path(3),
            flags = args.int32Or(4, 0)] { fs_at::linkat(from, old, to, path, flags); };
  });
}

void defineChangers(Napi::Object exports) {
  defineTwins(exports, "unlinkat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), flags = args.int32Or(2, 0)] {
      fs_at::unlinkat(dirfd, path, flags);
    };
  });
  defineTwins(exports, "renameat2", [](const Arguments& args) {
    return [from = args.descriptor(0), old = args.path(1), to = args.descriptor(2), path = args.path(3),
            flags = args.uint32Or(4, 0)] { fs_at::renameat2(from, old, to, path, flags); };
  });
  defineTwins(exports, "fchmodat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), mode = args.uint32(2), flags = args.int32Or(3, 0)] {
      fs_at::fchmodat(dirfd, path, mode, flags);
    };
  });
  defineTwins(exports, "fchownat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), uid = args.owner(2), gid = args.owner(3),
            flags = args.int32Or(4, 0)] { fs_at::fchownat(dirfd, path, uid, gid, flags); };
  });
  defineTwins(exports, "utimensat", [](const Arguments& args) {
    return [dirfd = args.descriptor(0), path = args.path(1), atime = args.optionalInt64(2),
            mtime = args.optionalInt64(3), flags = args.int32Or(4, 0)] {
      fs_at::utimensat(dirfd, path, atime, mtime, flags);
    };
  });
}

void defineSteps(Napi::Object exports) {
  defineTwins(exports, "directorySteps", [](const Arguments& args) {
    return [directory = args.path(0), steps = args.bytes(1)] { runDirectorySteps(directory, steps); };
  });
}

}  // namespace

void RegisterFsAt(Napi::Env env, Napi::Object exports) {
  prepareStatObjects(env);
  defineReaders(exports);
  defineMakers(exports);
  defineChangers(exports);
  defineSteps(exports);
}

}  // namespace layer_store
