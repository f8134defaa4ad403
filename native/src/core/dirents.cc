#include "core/dirents.hh"

#include <cstring>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

/** `struct linux_dirent64` up to its name. */
constexpr size_t kLengthOffset = 16;
constexpr size_t kTypeOffset = 18;
constexpr size_t kNameOffset = 19;
constexpr size_t kBufferSize = 64 * 1024;
/** Longest record: header, 255 bytes of name (more on some network file systems), NUL, padding. */
constexpr size_t kSmallestBuffer = 1024;

bool isDot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace

std::vector<Dirent> readDirents(int fd, size_t limit) {
  std::vector<char> buffer(limit == 0 ? kBufferSize : std::max(limit, kSmallestBuffer));
  std::vector<Dirent> entries;
  for (;;) {
    const long length = uninterrupted([&] { return ::syscall(SYS_getdents64, fd, buffer.data(), buffer.size()); });
    if (length == -1) throw SysError(errno, "getdents64");
    if (length == 0) return entries;
    for (long at = 0; at < length;) {
      const char* record = buffer.data() + at;
      uint16_t recordLength;
      std::memcpy(&recordLength, record + kLengthOffset, sizeof recordLength);
      const char* name = record + kNameOffset;
      if (!isDot(name)) {
        Dirent& entry = entries.emplace_back();
        std::memcpy(&entry.ino, record, sizeof entry.ino);
        entry.type = static_cast<uint8_t>(record[kTypeOffset]);
        entry.name = name;
      }
      at += recordLength;
    }
    if (limit != 0 && !entries.empty()) return entries;
  }
}

}  // namespace layer_store
