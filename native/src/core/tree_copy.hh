// Copies a directory tree with everything a layer's content consists of (spec/drivers.md 5.2).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/fd.hh"
#include "core/tree_content.hh"
#include "core/tree_directory.hh"
#include "core/tree_inode.hh"
#include "core/tree_metadata.hh"

namespace layer_store {

struct TreeCopyOptions {
  /** Regular files become links to the source's instead of copies. */
  bool hardlink = false;
  /** Also `trusted.overlay.opaque` and `user.overlay.opaque`; other overlay attributes never. */
  bool copyOpaque = false;
  ReportPolicy report;
};

struct TreeCopyStats {
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t links = 0;
  uint64_t others = 0;
  uint64_t bytes = 0;
};

/** One copy. Not shared between threads. */
class TreeCopier {
 public:
  /** `checkpoint` is called between objects and within large files, and may throw to stop. */
  TreeCopier(const TreeCopyOptions& options, TreeWarnings& warnings, std::function<void()> checkpoint);

  /** Copies the content and metadata of directory `source` to `target`, which is made if missing. Throws SysError with path. */
  TreeCopyStats copyTree(const std::string& source, const std::string& target);

  /** Copies one object that is no directory, with its metadata, to a new name. Throws SysError without path. */
  void copyObject(int sourceDirectory, const char* sourceName, int targetDirectory, const char* targetName,
                  const std::string& path);

 private:
  struct Level {
    Fd source;
    Fd target;
    InodeKey sourceKey;
    InodeKey targetKey;
    std::string name;
    std::vector<DirectoryName> names;
    size_t next = 0;
    size_t pathLength = 0;
    struct stat st;
  };

  void enter(Fd source, Fd target, std::string name, size_t pathLength);
  void step();
  void leave();
  void copyChild(Level& level, const DirectoryName& child);
  void shareFile(int source, int target, const char* name, const struct stat& st);
  void copyDirectory(Level& level, const std::string& name);
  void copyFile(int sourceDirectory, const char* sourceName, int targetDirectory, const char* targetName);
  void copyOther(int sourceDirectory, const char* sourceName, int targetDirectory, const char* targetName,
                 const struct stat& st);
  /** True: `st` has been copied before under another name and was linked to that copy. */
  bool linkToEarlier(int targetDirectory, const char* targetName, const struct stat& st);
  void copyXattrs(const ObjectRef& source, const ObjectRef& target);
  bool wanted(const std::string& attribute) const;
  void finishObject(const ObjectRef& source, const ObjectRef& target, const struct stat& want, const struct stat& made);

  TreeCopyOptions options_;
  MetadataWriter metadata_;
  std::function<void()> checkpoint_;
  ContentCopier content_;
  TreeCopyStats stats_;
  std::vector<Level> levels_;
  /** Path of the object at hand, relative to the tree. */
  std::string path_;
  int targetRoot_ = -1;
  std::unordered_map<InodeKey, std::string, InodeKeyHash> copies_;
  std::string xattrNames_;
  std::string xattrValue_;
};

}  // namespace layer_store
