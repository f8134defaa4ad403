// Reads files back under the names their entries had, for export (packages/archive/src/execute/gather.ts).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/fd.hh"
#include "core/tree_resolver.hh"

namespace layer_store {

/** Not thread-safe: one plan at a time, on any one thread. A file may span plans. */
class GatherReader {
 public:
  /** Throws SysError with the root that cannot be opened. */
  explicit GatherReader(const std::vector<std::string>& roots);

  /** Throws SysError or RefusalError (corrupt, breakout) with the path in the root. */
  void gather(const uint8_t* plan, size_t planLength, uint8_t* out, size_t outLength);

 private:
  void openFile(std::string_view path, uint64_t size);
  /** False when this root has nothing of that name. */
  bool openIn(TreeResolver& root, std::string_view parent, const std::string& name);
  void read(uint8_t* to, size_t length);
  [[noreturn]] void corrupt(const char* detail) const;

  std::vector<std::unique_ptr<TreeResolver>> roots_;
  Fd file_;
  std::string path_;
  uint64_t left_ = 0;
  uint64_t crc_ = 0;
};

}  // namespace layer_store
