// Copying the content of one file the cheapest way its file systems allow.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace layer_store {

/**
 * Reflink, then copy_file_range, then read and write; what a pair of file systems cannot do is not tried again. Holes stay
 * holes. One per walk: the answer depends on the file systems.
 */
class ContentCopier {
 public:
  /** `checkpoint` is called between pieces of at most 64 MiB and may throw to stop. */
  explicit ContentCopier(std::function<void()> checkpoint = {});

  /**
   * Copies `source`, whose stat data is `st`, to the new empty file `target`. A source that shrinks meanwhile is copied as
   * far as it goes. Returns the bytes copied (holes and shared blocks included). Throws SysError without path.
   */
  uint64_t copy(int target, int source, const struct stat& st);

 private:
  bool clone(int target, int source);
  /** Copies `[offset, end)`; returns where the source ended. */
  uint64_t copyRange(int target, int source, uint64_t offset, uint64_t end);
  uint64_t readWriteRange(int target, int source, uint64_t offset, uint64_t end);
  uint64_t copySparse(int target, int source, uint64_t size);
  void pause() const {
    if (checkpoint_) checkpoint_();
  }

  std::function<void()> checkpoint_;
  bool mayClone_ = true;
  bool mayCopyRange_ = true;
  std::vector<char> buffer_;
};

}  // namespace layer_store
