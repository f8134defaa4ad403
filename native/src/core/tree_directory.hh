// Listing directories by descriptor and opening things in them without ever following a link.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "core/fd.hh"

namespace layer_store {

/** A name in a directory and its DT_* type (0: the file system does not say). */
struct DirectoryName {
  std::string name;
  unsigned char type;
};

/** Every name but `.` and `..`, in directory order. `fd` must be open for reading. Throws SysError. */
std::vector<DirectoryName> listDirectory(int fd);

/** lstat relative to `directory`; false when there is no such name. Throws SysError. */
bool statAt(int directory, const char* name, struct stat& st);

/** Opens the directory `name` for reading; a link or anything else is ENOTDIR or ELOOP. Throws SysError. */
Fd openDirectoryAt(int directory, const char* name);

/** fstat. Throws SysError. */
struct stat statOf(int fd);

}  // namespace layer_store
