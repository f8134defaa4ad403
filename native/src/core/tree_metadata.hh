// Owner, mode, extended attributes and times of an object, with the choice to report a refusal instead of failing.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace layer_store {

/** A refusal that was reported instead of failing. */
struct TreeWarning {
  std::string syscall;
  int error;
  /** Relative to the tree. */
  std::string path;
  /** The attribute's name, where it is about one. */
  std::string detail;
};

/** Keeps the first thousand and counts the rest: an archive decides how many there are, not how much memory. */
class TreeWarnings {
 public:
  void add(TreeWarning warning);
  /** Those since the last call. */
  std::vector<TreeWarning> take();
  /** How many were dropped so far. */
  uint64_t dropped() const { return dropped_; }

 private:
  std::vector<TreeWarning> pending_;
  uint64_t kept_ = 0;
  uint64_t dropped_ = 0;
};

/** False: an error; true: a warning and on. */
struct ReportPolicy {
  bool ownership = false;
  bool xattrs = false;
  bool devices = false;
};

/** Names an object: an open descriptor, or a name in a directory that is never followed. */
struct ObjectRef {
  int fd = -1;
  int directory = -1;
  const char* name = nullptr;

  static ObjectRef open(int fd) { return {fd, -1, nullptr}; }
  static ObjectRef at(int directory, const char* name) { return {-1, directory, name}; }
};

/** Every call throws SysError without path unless the policy says to report; `path` is for the report. */
class MetadataWriter {
 public:
  MetadataWriter(const ReportPolicy& policy, TreeWarnings& warnings) : policy_(policy), warnings_(warnings) {}

  const ReportPolicy& policy() const { return policy_; }

  void owner(const ObjectRef& object, uid_t uid, gid_t gid, std::string_view path);
  void xattr(const ObjectRef& object, const std::string& name, std::string_view value, std::string_view path);
  /** Not for symbolic links. Never opens the object: opening a device has effects, and nodev mounts refuse it. */
  void mode(const ObjectRef& object, mode_t mode);
  void times(const ObjectRef& object, const timespec& atime, const timespec& mtime);

  /** EPERM, EACCES, EINVAL or no support: what a lack of privilege looks like. */
  static bool isRefusal(int error);
  void warn(const char* syscall, int error, std::string_view path, std::string_view detail = {});

 private:
  ReportPolicy policy_;
  TreeWarnings& warnings_;
};

/** `/proc/self/fd/DIRECTORY/NAME`, for the calls that have no variant relative to a descriptor. */
std::string procPath(int directory, const char* name);

}  // namespace layer_store
