// Carries out batches of operations beneath one root. Policy is the planner's (packages/archive/src/extract).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/extract_batch.hh"
#include "core/extract_made.hh"
#include "core/extract_stash.hh"
#include "core/fd.hh"
#include "core/tree_inode.hh"
#include "core/tree_metadata.hh"
#include "core/tree_remove.hh"
#include "core/tree_resolver.hh"

namespace layer_store {

enum class WhiteoutFormat { remove, overlay, aufs };

struct ExtractOptions {
  WhiteoutFormat whiteouts = WhiteoutFormat::remove;
  bool userXattr = false;
  bool replaceAcrossTypes = true;
  /** A directory that is there already loses attributes its entry does not name. */
  bool replaceMergedXattrs = true;
  bool chown = true;
  uid_t impliedUid = 0;
  gid_t impliedGid = 0;
  ReportPolicy report;
  /** Empty: displaced payloads are not kept. */
  std::string stashDirectory;
};

struct FileChecksum {
  uint32_t fileIndex;
  uint64_t crc;
};

struct ExtractResult {
  std::vector<FileChecksum> checksums;
  std::vector<uint32_t> displaced;
  std::vector<TreeWarning> warnings;
};

/** Not thread-safe: one batch at a time, on any one thread. */
class Extractor : private DirectoryMaker, private RemovalObserver {
 public:
  /** Throws SysError when `root` is no directory, or a symbolic link. */
  Extractor(const std::string& root, ExtractOptions options);

  /** Throws SysError or RefusalError whose path is the operation's. The extraction is then over. */
  ExtractResult run(const uint8_t* operations, size_t operationsLength, const uint8_t* chunk, size_t chunkLength);
  /** Directory times, and the last look for displaced payloads. */
  ExtractResult finish();

 private:
  /** Where an object is to be made. `directory` is null when there is nothing to do (see `PathUse::whiteout`). */
  struct Place {
    std::shared_ptr<Directory> directory;
    bool throughLink = false;
    const char* name = nullptr;
    std::string_view nameView;
  };
  /** What was in the way of a new object. */
  enum class Cleared { nothing, mergeDirectory, replaced };
  enum class PathUse { unpacked, whiteout };

  struct OpenFile {
    Fd fd;
    uint64_t size = 0;
    uint64_t written = 0;
    uint64_t crc = 0;
    uint32_t index = kNoIndex;
    bool sparse = false;
    struct stat made = {};
    ObjectMeta meta;
    std::string path;
    std::string xattrBytes;
    unsigned xattrCount = 0;
  };

  struct DirectoryEnd {
    std::string path;
    InodeKey key;
    /** Held back until everything is inside; -1: set already. */
    int mode;
    timespec atime;
    timespec mtime;
  };

  void execute(const Operation& operation);

  // extract_executor.cc: regular files
  void openFile(const Operation& operation);
  void writeData(const Operation& operation);
  void endFile();

  // extract_objects.cc: everything else that is unpacked
  void makeDirectoryEntry(const Operation& operation);
  void dropForeignXattrs(const ObjectRef& object, XattrList named);
  void setRootMetadata(const Operation& operation);
  void endLater(std::string path, const InodeKey& key, const ObjectMeta& meta, mode_t made);
  mode_t workableMode(mode_t mode) const;
  void makeHardlink(const Operation& operation);
  void makeSymlink(const Operation& operation);
  void makeNode(const Operation& operation);
  void moveObject(const Operation& operation);
  void removeObject(const Operation& operation);
  /** Owner, attributes, mode of an object that is open or named. */
  void applyMetadata(const ObjectRef& object, const struct stat& made, const ObjectMeta& meta, XattrList xattrs,
                     std::string_view path);

  // extract_place.cc: finding and clearing the place of an object
  Place placeOf(std::string_view path, PathUse use);
  Cleared clearWay(const Place& place, bool forDirectory);
  void removeFrom(const Directory& directory, const std::string& name, const struct stat& st);
  void mark(const std::shared_ptr<Directory>& directory);
  void unpacked(const Place& place, uint32_t fileIndex);
  bool isWhiteoutDevice(const struct stat& st) const;
  bool madeHere(const InodeKey& directory, const std::string& name, const struct stat& st) const;
  bool makeDirectory(const std::shared_ptr<Directory>& parent, const std::string& name) override;
  bool replaceObstacle(const std::shared_ptr<Directory>& parent, const std::string& name, const struct stat& st) override;
  void makeImplied(const std::shared_ptr<Directory>& parent, const std::string& name, bool opaque);
  bool spares(const InodeKey& directory, const std::string& name, const struct stat& st) override;
  void removing(int directoryFd, const InodeKey& directory, const std::string& name, const struct stat& st) override;

  // extract_whiteout.cc
  void whiteout(const Operation& operation);
  void opaque(const Operation& operation);
  void markOpaque(int directoryFd, const char* name, uid_t uid, gid_t gid);
  void makeAufsMark(int directoryFd, const std::string& name, uid_t uid, gid_t gid);
  bool takeAufsWhiteout(int directoryFd, const std::string& name);
  void endWhiteout(const Place& place);
  void hideReplaced(const Place& place, Cleared cleared);

  // extract_finish.cc
  void endDirectory(const DirectoryEnd& directory);

  ExtractOptions options_;
  TreeResolver resolver_;
  MadeObjects made_;
  TreeWarnings warnings_;
  MetadataWriter metadata_;
  DisplacedStash stash_;
  ExtractResult result_;
  OpenFile file_;
  /** A batch failed: those queued behind it must not go on from where it stopped. */
  bool failed_ = false;
  const uint8_t* chunk_ = nullptr;
  size_t chunkLength_ = 0;
  /** The operation at hand is a whiteout: below another whiteout there is nothing to hide. */
  bool whiteoutWalk_ = false;
  std::string name_;
  std::vector<DirectoryEnd> directoryEnds_;
  std::unordered_map<InodeKey, size_t, InodeKeyHash> directoryEndsByKey_;
  const uid_t ownUid_;
  const gid_t ownGid_;
};

}  // namespace layer_store
