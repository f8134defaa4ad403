#include "core/copy.hh"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/kernel.hh"
#include "core/sys_error.hh"

namespace layer_store {

namespace {

enum class Seen { nothing, refused, worked };
std::atomic<Seen> ficloneResult{Seen::nothing};

std::optional<int64_t> seek(int fd, int64_t offset, int whence) {
  const off_t found = ::lseek(fd, offset, whence);
  if (found != -1) return found;
  if (errno == ENXIO) return std::nullopt;
  throw SysError(errno, "lseek");
}

}  // namespace

void ficlone(int destination, int source) {
  if (uninterrupted([&] { return ::ioctl(destination, FICLONE, source); }) == 0) {
    ficloneResult = Seen::worked;
    return;
  }
  const int error = errno;
  // Only an answer about support counts, not a bad descriptor or a full disk.
  if (error == EOPNOTSUPP || error == ENOTTY || error == ENOSYS) {
    Seen expected = Seen::nothing;
    ficloneResult.compare_exchange_strong(expected, Seen::refused);
  }
  throw SysError(error, "ioctl(FICLONE)");
}

std::optional<bool> ficloneSeen() {
  const Seen seen = ficloneResult;
  return seen == Seen::nothing ? std::nullopt : std::optional<bool>(seen == Seen::worked);
}

uint64_t copyFileRange(int source, std::optional<int64_t> sourceOffset, int destination,
                       std::optional<int64_t> destinationOffset, uint64_t length) {
  off_t from = sourceOffset.value_or(0);
  off_t to = destinationOffset.value_or(0);
  const ssize_t copied = uninterrupted([&] {
    return ::copy_file_range(source, sourceOffset ? &from : nullptr, destination, destinationOffset ? &to : nullptr,
                             length, 0);
  });
  if (copied == -1) throw SysError(errno, "copy_file_range");
  return static_cast<uint64_t>(copied);
}

std::optional<int64_t> seekData(int fd, int64_t offset) { return seek(fd, offset, SEEK_DATA); }

std::optional<int64_t> seekHole(int fd, int64_t offset) { return seek(fd, offset, SEEK_HOLE); }

}  // namespace layer_store
