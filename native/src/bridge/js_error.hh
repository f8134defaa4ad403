// The one place where a failed system call becomes a JavaScript error.
#pragma once

#include <napi.h>

#include "core/sys_error.hh"

namespace layer_store {

/**
 * `code` (errno name), `errno` (negative), `syscall`, `path`, `dest`, `detail`; message as node:fs words it,
 * `ENOENT: no such file or directory, statx 'x'`.
 */
Napi::Error makeJsError(Napi::Env env, const SysError& error);

/** A TypeError with `code` ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE. */
Napi::Error makeArgumentError(Napi::Env env, const char* code, const std::string& message);

}  // namespace layer_store
