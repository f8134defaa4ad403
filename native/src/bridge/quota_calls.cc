// fsGetXattr, fsSetXattr; quotactl, quotactlFd; quotaState, projectQuota, setProjectLimits.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/quota.hh"

namespace layer_store {

namespace quota {

// In the structures' own namespace, where argument-dependent lookup from the twins finds them.
static Napi::Value toJs(Napi::Env env, const FileAttributes& attributes) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("xflags", layer_store::toJs(env, attributes.xflags));
  object.Set("extentSize", layer_store::toJs(env, attributes.extentSize));
  object.Set("extents", layer_store::toJs(env, attributes.extents));
  object.Set("projectId", layer_store::toJs(env, attributes.projectId));
  object.Set("cowExtentSize", layer_store::toJs(env, attributes.cowExtentSize));
  return object;
}

static Napi::Value toJs(Napi::Env env, const ProjectQuota& quota) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("spaceHard", layer_store::toJs(env, quota.spaceHard));
  object.Set("spaceSoft", layer_store::toJs(env, quota.spaceSoft));
  object.Set("inodesHard", layer_store::toJs(env, quota.inodesHard));
  object.Set("inodesSoft", layer_store::toJs(env, quota.inodesSoft));
  object.Set("space", layer_store::toJs(env, quota.space));
  object.Set("inodes", layer_store::toJs(env, quota.inodes));
  return object;
}

}  // namespace quota

namespace {

quota::FileAttributes readAttributes(const Arguments& args, size_t index) {
  const Napi::Object object = args.object(index);
  quota::FileAttributes attributes;
  attributes.xflags = uint32Property(object, "xflags", 0);
  attributes.extentSize = uint32Property(object, "extentSize", 0);
  attributes.projectId = uint32Property(object, "projectId", 0);
  attributes.cowExtentSize = uint32Property(object, "cowExtentSize", 0);
  return attributes;
}

quota::ProjectLimits readLimits(const Arguments& args, size_t index) {
  const Napi::Object object = args.object(index);
  return {optionalUint64Property(object, "spaceHard"), optionalUint64Property(object, "spaceSoft"),
          optionalUint64Property(object, "inodesHard"), optionalUint64Property(object, "inodesSoft")};
}

std::string bytesOr(const Arguments& args, size_t index, const char* fallback) {
  return args.absent(index) ? fallback : args.bytes(index);
}

void defineAttributes(Napi::Object exports) {
  defineTwins(exports, "fsGetXattr", [](const Arguments& args) {
    return [fd = args.descriptor(0)] { return quota::fileAttributes(fd); };
  });
  defineTwins(exports, "fsSetXattr", [](const Arguments& args) {
    return [fd = args.descriptor(0), attributes = readAttributes(args, 1)] { quota::setFileAttributes(fd, attributes); };
  });
}

void defineRaw(Napi::Object exports) {
  defineTwins(exports, "quotactl", [](const Arguments& args) {
    return [command = args.uint32(0), device = args.path(1), id = args.uint32(2), data = bytesOr(args, 3, "")] {
      return quota::controlByDevice(device, command, id, data);
    };
  });
  defineTwins(exports, "quotactlFd", [](const Arguments& args) {
    return [fd = args.descriptor(0), command = args.uint32(1), id = args.uint32(2), data = bytesOr(args, 3, "")] {
      return quota::controlByDescriptor(fd, command, id, data);
    };
  });
}

void defineProjects(Napi::Object exports) {
  defineTwins(exports, "quotaState", [](const Arguments& args) {
    return [where = quota::FileSystem{args.descriptor(0), args.optionalPath(1)}] { return quota::stateFlags(where); };
  });
  defineTwins(exports, "projectQuota", [](const Arguments& args) {
    return [where = quota::FileSystem{args.descriptor(0), args.optionalPath(1)}, project = args.uint32(2)] {
      return quota::projectQuota(where, project);
    };
  });
  defineTwins(exports, "setProjectLimits", [](const Arguments& args) {
    return [where = quota::FileSystem{args.descriptor(0), args.optionalPath(1)}, project = args.uint32(2),
            limits = readLimits(args, 3)] { quota::setProjectLimits(where, project, limits); };
  });
}

}  // namespace

void RegisterQuota(Napi::Env, Napi::Object exports) {
  defineAttributes(exports);
  defineRaw(exports);
  defineProjects(exports);
}

}  // namespace layer_store
