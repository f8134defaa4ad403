#include "core/gzip_lines.hh"

#include <cerrno>
#include <cstring>

#include "core/base64.hh"
#include "core/crc32.hh"
#include "core/sys_error.hh"
#include "core/whole_io.hh"

namespace layer_store {

namespace {

/** Deflate, no flags, no time, fastest, unknown system. */
constexpr uint8_t kHeader[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 0xFF};

uint8_t* putLittle(uint8_t* out, uint32_t value) {
  for (int i = 0; i < 4; i++) *out++ = static_cast<uint8_t>(value >> (8 * i));
  return out;
}

}  // namespace

size_t GzipLines::write(uint8_t* text, size_t size, const Base64Room* rooms, size_t count) {
  const std::lock_guard<std::mutex> hold(turn_);
  for (size_t i = 0; i < count; i++) {
    if (rooms[i].offset > size || base64Length(rooms[i].length) > size - rooms[i].offset) {
      throw SysError(EINVAL, "GzipLines.write");
    }
  }
  for (size_t i = 0; i < count; i++) base64InPlace(text + rooms[i].offset, rooms[i].length);
  uint8_t* out = begin(TextDeflater::bound(size));
  crc_ = Crc32::update(crc_, text, size);
  size_ += static_cast<uint32_t>(size);
  return flush(size > 0 ? deflater_.block(text, size, out) : out);
}

size_t GzipLines::finish() {
  const std::lock_guard<std::mutex> hold(turn_);
  uint8_t* out = TextDeflater::finish(begin(TextDeflater::kEnd + 2 * sizeof(uint32_t)));
  out = putLittle(out, crc_);
  return flush(putLittle(out, size_));
}

uint8_t* GzipLines::begin(size_t size) {
  const size_t header = begun_ ? 0 : sizeof kHeader;
  if (capacity_ < header + size) {
    capacity_ = header + size;
    // Not cleared: that would take as long as half the compression.
    out_.reset(new uint8_t[capacity_]);
  }
  if (!begun_) std::memcpy(out_.get(), kHeader, sizeof kHeader);
  begun_ = true;
  return out_.get() + header;
}

size_t GzipLines::flush(const uint8_t* end) {
  const size_t size = static_cast<size_t>(end - out_.get());
  writeWhole(fd_, out_.get(), size);
  return size;
}

}  // namespace layer_store
