// Reads the byte batches of packages/archive/src/execute/operation.ts. Nothing is trusted: every length is checked.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace layer_store {

/** The OP_* codes. */
enum class OperationCode : uint8_t {
  directory = 1,
  file = 2,
  data = 3,
  fileEnd = 4,
  hardlink = 5,
  symlink = 6,
  node = 7,
  whiteout = 8,
  opaque = 9,
  move = 10,
  remove = 11,
};

constexpr uint8_t kFlagSparse = 1;
constexpr uint8_t kFlagTolerate = 2;
constexpr uint32_t kNoIndex = 0xffffffff;

/** Extended attributes as they lie in a batch: checked bytes, read with `next`. */
class XattrList {
 public:
  XattrList() = default;
  XattrList(std::string_view bytes, unsigned count) : bytes_(bytes), left_(count) {}

  bool empty() const { return left_ == 0; }
  bool next(std::string& name, std::string_view& value);
  std::string_view bytes() const { return bytes_; }
  unsigned left() const { return left_; }

 private:
  std::string_view bytes_;
  unsigned left_ = 0;
};

struct ObjectMeta {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime = {};
  timespec atime = {};
};

/** One record. Only the fields of its code are set. Views point into the batch. */
struct Operation {
  OperationCode code;
  uint8_t flags;
  std::string_view path;
  ObjectMeta meta;
  XattrList xattrs;
  /** Link text, link target or new path. */
  std::string_view target;
  /** file: its size; data: offset in the file. */
  uint64_t size;
  uint32_t fileIndex;
  uint32_t chunkOffset;
  uint32_t length;
  uint32_t type;
  uint32_t major;
  uint32_t minor;
};

class BatchReader {
 public:
  BatchReader(const uint8_t* bytes, size_t length) : at_(bytes), end_(bytes + length) {}

  /** False at the end. Throws SysError EINVAL "batch" on malformed bytes, RefusalError on a path that would climb. */
  bool next(Operation& operation);

 private:
  template <typename T>
  T take();
  std::string_view takeBytes(size_t length);
  /** Returns the number of attributes that follow the path. */
  unsigned takeMeta(ObjectMeta& meta);
  timespec takeTime();
  XattrList takeXattrs(unsigned count);
  std::string_view takePath(size_t length, bool mayBeRoot);

  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace layer_store
