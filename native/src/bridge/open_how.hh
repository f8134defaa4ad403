// `{flags, mode, resolve}` of openat2.
#pragma once

#include "bridge/arguments.hh"
#include "core/kernel.hh"

namespace layer_store {

inline OpenHow readOpenHow(const Arguments& args, size_t index) {
  const Napi::Object how = args.object(index);
  return {uint64Property(how, "flags", 0), uint64Property(how, "mode", 0), uint64Property(how, "resolve", 0)};
}

}  // namespace layer_store
