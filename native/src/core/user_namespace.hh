// User namespaces that exist only to map owners: what an id-mapped mount (MOUNT_ATTR_IDMAP) is given.
#pragma once

#include <string>

#include "core/fd.hh"

namespace layer_store {

/**
 * A new user namespace with these maps, the lines of `/proc/PID/uid_map` and `gid_map` (user_namespaces(7)). It lives as long as
 * the descriptor; the process it was born with has ended. Without CAP_SETUID over the parent only one's own ids can be
 * mapped. EPERM, EINVAL: the kernel refuses the maps; ENOSPC: too many namespaces.
 */
Fd createUserNamespace(const std::string& uidMap, const std::string& gidMap);

}  // namespace layer_store
