// The descriptor-based mount calls (Linux 5.2 and later). What the kernel wrote to the context's log becomes the error's
// detail. All throw SysError.
#pragma once

#include <cstdint>
#include <string>

#include "core/fd.hh"
#include "core/kernel.hh"

namespace layer_store::mount_api {

/** Close-on-exec whatever the flags say, as every descriptor made here. */
Fd fsopen(const std::string& type, uint32_t flags);
Fd fspick(int dirfd, const std::string& path, uint32_t flags);

// fsconfig(2), one function per shape of its last arguments. FSCONFIG_SET_FLAG 0, _STRING 1, _BINARY 2, _PATH 3,
// _PATH_EMPTY 4, _FD 5, FSCONFIG_CMD_CREATE 6, _RECONFIGURE 7.
void fsconfigFlag(int context, const std::string& key);
void fsconfigString(int context, const std::string& key, const std::string& value);
void fsconfigBinary(int context, const std::string& key, const std::string& value);
void fsconfigPath(int context, const std::string& key, const std::string& path, int dirfd);
void fsconfigDescriptor(int context, const std::string& key, int fd);
void fsconfigCommand(int context, uint32_t command);

Fd fsmount(int context, uint32_t flags, uint32_t attributes);
void moveMount(int fromDirfd, const std::string& from, int toDirfd, const std::string& to, uint32_t flags);
Fd openTree(int dirfd, const std::string& path, uint32_t flags);
void mountSetattr(int dirfd, const std::string& path, uint32_t flags, const MountAttributes& attributes);

/**
 * A whole mount: context, settings, creation, and the mount (attributes MOUNT_ATTR_*) attached at `target`. Nothing is
 * attached when it fails. `settings` is `flag KEY`, `text KEY VALUE` and `directory KEY PATH` (given by descriptor), every
 * word with a NUL behind it; anything else is EINVAL of `mountByContext`.
 */
void mountByContext(const std::string& type, const std::string& settings, uint32_t attributes, const std::string& target);

/** The lines waiting in a context's log, one per line, and empties it. */
std::string readLog(int context);

bool hasFsopen();
bool hasMountSetattr();

}  // namespace layer_store::mount_api
