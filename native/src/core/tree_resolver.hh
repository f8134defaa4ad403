// Finds directories below a root as a process would that is chrooted there, except that a relative link may not climb out.
//
// Every step is openat(O_PATH|O_NOFOLLOW) of one component from a descriptor, so nothing that happens to the tree
// meanwhile can lead outside. A walk from the nearest remembered directory costs two calls per component, no more than
// openat2 and the fstat that inode tracking needs anyway, and behaves the same on every kernel.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/fd.hh"
#include "core/tree_inode.hh"

namespace layer_store {

/** An open (O_PATH) directory inside the root and how it was reached without links. */
struct Directory {
  Fd fd;
  InodeKey key;
  mode_t mode = 0;
  gid_t gid = 0;
  /** Empty for the root only. */
  std::shared_ptr<Directory> parent;
  std::string name;
  /** The owner of the resolver has recorded this directory and all its ancestors. */
  bool marked = false;

  /** Path from the root, free of links; empty for the root. */
  std::string path() const;
  size_t depth() const;
};

/** What to do where a directory is missing. A resolver without one reports ENOENT and ENOTDIR. */
class DirectoryMaker {
 public:
  virtual ~DirectoryMaker() = default;
  /** `name` is missing in `parent`. True: it was made, enter it. False: give up quietly. */
  virtual bool makeDirectory(const std::shared_ptr<Directory>& parent, const std::string& name) = 0;
  /** Something that is no directory and no link is in the way. True: a directory has taken its place. False: give up quietly. */
  virtual bool replaceObstacle(const std::shared_ptr<Directory>& parent, const std::string& name,
                               const struct stat& st) = 0;
};

/** `directory` is null when the maker gave up. */
struct Resolution {
  std::shared_ptr<Directory> directory;
  /** A link was followed on the way. */
  bool throughLink = false;
};

/** Remembers a few directories; `forget` must be called whenever a directory or a link was removed or moved. */
class TreeResolver {
 public:
  /** `rootFd` is an open directory. */
  explicit TreeResolver(Fd rootFd);

  const std::shared_ptr<Directory>& root() const { return root_; }

  /**
   * The directory `path` (clean, relative; empty is the root). Link rules (spec/layer-archive.md 4.9): absolute targets
   * start at the root and `..` in them stops there; a relative target that climbs above the root is a breakout; at most
   * 255 links. Throws SysError and RefusalError without path.
   */
  Resolution resolve(std::string_view path, DirectoryMaker* maker);

  /** Drops every remembered directory. */
  void forget();

 private:
  struct Slot {
    std::string path;
    Resolution found;
    uint64_t used;
  };

  Slot* remembered(std::string_view path);
  void remember(std::string_view path, const Resolution& found);

  std::shared_ptr<Directory> root_;
  std::vector<Slot> slots_;
  size_t lastSlot_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace layer_store
