#include "core/gzip_lines.hh"

#include <unistd.h>

#include <cerrno>

#include "core/base64.hh"
#include "core/crc32.hh"
#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

/** Deflate, no flags, no time, fastest, unknown system. */
constexpr uint8_t kHeader[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 0xFF};

void appendLittle(std::vector<uint8_t>& out, uint32_t value) {
  for (int i = 0; i < 4; i++) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
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
  begin();
  crc_ = crc32_update(crc_, text, size);
  size_ += static_cast<uint32_t>(size);
  if (size > 0) deflater_.block(text, size, out_);
  return flush();
}

size_t GzipLines::finish() {
  const std::lock_guard<std::mutex> hold(turn_);
  begin();
  TextDeflater::finish(out_);
  appendLittle(out_, crc_);
  appendLittle(out_, size_);
  return flush();
}

void GzipLines::begin() {
  if (!begun_) out_.assign(std::begin(kHeader), std::end(kHeader));
  begun_ = true;
}

size_t GzipLines::flush() {
  size_t written = 0;
  while (written < out_.size()) {
    const ssize_t part = uninterrupted([&] { return ::write(fd_, out_.data() + written, out_.size() - written); });
    if (part == -1) throw SysError(errno, "write");
    written += static_cast<size_t>(part);
  }
  out_.clear();
  return written;
}

}  // namespace layer_store
