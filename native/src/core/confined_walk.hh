// openat2's confined lookups for kernels and sandboxes without it.
#pragma once

#include <string>

#include "core/fd.hh"
#include "core/kernel.hh"

namespace layer_store {

/**
 * RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS by opening one component at a time without following links,
 * `..` going back to a descriptor already held: the result never depends on a name resolved twice, so a concurrent rename
 * cannot lead outside. Errors as openat2(2): EXDEV for leaving a BENEATH root, ELOOP for a forbidden link or over forty.
 * RESOLVE_NO_XDEV gives ENOSYS.
 */
Fd confinedOpen(int dirfd, const std::string& path, const OpenHow& how);

}  // namespace layer_store
