// The gzip file (RFC 1952) of a tar-split record, written block by block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "core/text_deflater.hh"

namespace layer_store {

/** Room in a block for the base64 of bytes that lie at the end of it. */
struct Base64Room {
  uint32_t offset;
  /** Of the bytes, not of their text. */
  uint32_t length;
};

/** Calls may come from several threads; they take their turn. */
class GzipLines {
 public:
  /** The descriptor stays the caller's; it is written where it stands. */
  explicit GzipLines(int fd) : fd_(fd) {}

  /**
   * Encodes what lies in the rooms, in place, compresses the block and writes it. Returns the bytes written. Throws SysError:
   * EINVAL for a room that is not within the block, else of write(2).
   */
  size_t write(uint8_t* text, size_t size, const Base64Room* rooms, size_t count);
  /** Ends the file; nothing can follow. */
  size_t finish();

 private:
  /** Room for `size` bytes behind the header, which is put there the first time. */
  uint8_t* begin(size_t size);
  size_t flush(const uint8_t* end);

  int fd_;
  std::mutex turn_;
  TextDeflater deflater_;
  std::unique_ptr<uint8_t[]> out_;
  size_t capacity_ = 0;
  bool begun_ = false;
  uint32_t crc_ = 0;
  uint32_t size_ = 0;
};

}  // namespace layer_store
