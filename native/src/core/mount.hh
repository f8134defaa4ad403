// mount(2), umount2(2), and mounting from another working directory. All throw SysError.
#pragma once

#include <cstdint>
#include <string>

namespace layer_store {

/** Arguments of mount(2); an empty source, type or data is passed as an empty string, as mount(8) does. */
struct MountRequest {
  std::string source;
  std::string target;
  std::string type;
  uint64_t flags;
  std::string data;
};

void mountFileSystem(const MountRequest& request);
/**
 * As if the process stood in `cwd`, so that relative paths keep a long option string under the page the kernel takes: on a
 * thread that first stops sharing its working directory with the rest of the process.
 */
void mountAt(const std::string& cwd, const MountRequest& request);
/** MNT_FORCE 1, MNT_DETACH 2, MNT_EXPIRE 4, UMOUNT_NOFOLLOW 8. */
void unmount(const std::string& target, int flags);

}  // namespace layer_store
