// createUserNamespace.
#include <napi.h>

#include "bridge/register.hh"
#include "bridge/twins.hh"
#include "core/user_namespace.hh"

namespace layer_store {

namespace {

/** `[{inside, outside, count}]` as the lines of a map file. */
std::string readMap(const Arguments& args, size_t index) {
  if (!args.object(index).IsArray()) {
    throw makeArgumentError(args.env(), "ERR_INVALID_ARG_TYPE",
                            "createUserNamespace: argument " + std::to_string(index + 1) + " must be an array of ranges");
  }
  const Napi::Array ranges = args.object(index).As<Napi::Array>();
  std::string lines;
  for (uint32_t i = 0; i < ranges.Length(); i++) {
    const Napi::Value item = ranges.Get(i);
    if (!item.IsObject()) {
      throw makeArgumentError(args.env(), "ERR_INVALID_ARG_TYPE",
                              "createUserNamespace: a range is {inside, outside, count}");
    }
    const Napi::Object range = item.As<Napi::Object>();
    for (const char* name : {"inside", "outside", "count"}) {
      lines += std::to_string(uint32Property(range, name, 0)) + " ";
    }
    lines.back() = '\n';
  }
  return lines;
}

}  // namespace

void RegisterUserNamespace(Napi::Env, Napi::Object exports) {
  defineTwins(exports, "createUserNamespace", [](const Arguments& args) {
    return [uidMap = readMap(args, 0), gidMap = readMap(args, 1)] {
      return createUserNamespace(uidMap, gidMap).release();
    };
  });
}

}  // namespace layer_store
