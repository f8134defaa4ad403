// FileStat as the object JavaScript sees.
#pragma once

#include <napi.h>

#include "core/fs_at.hh"

namespace layer_store {

/** Prepares the environment for `toJs(env, FileStat)`. Once, at registration. */
void prepareStatObjects(Napi::Env env);

Napi::Value toJs(Napi::Env env, const FileStat& stat);

}  // namespace layer_store
