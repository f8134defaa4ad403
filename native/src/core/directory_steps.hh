// Small changes below one directory, many in a call: what makes or removes the directory of a layer.
#pragma once

#include <string>

namespace layer_store {

/**
 * Carries out steps in order until one fails; those before it stay done. Throws SysError with the step's own system call and
 * path; EINVAL of `directorySteps` for a text that is none.
 *
 * `steps` is verbs and their operands, every one with a NUL behind it; paths are relative to `directory`, numbers decimal:
 *
 *     directory PATH MODE          link TEXT PATH              file PATH MODE CONTENT (must be new)
 *     mode PATH MODE               owner PATH UID GID (-1: as it is)
 *     attributes FROM TO SKIPPED   owner, mode, extended attributes and times; without names that begin with one of SKIPPED,
 *                                  which are separated by commas
 *     rename OLD NEW               unlink PATH                 rmdir PATH
 *     unlink-if-there PATH         rmdir-if-there PATH
 */
void runDirectorySteps(const std::string& directory, const std::string& steps);

}  // namespace layer_store
