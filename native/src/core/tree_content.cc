#include "core/tree_content.hh"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/kernel.hh"
#include "core/sys_error.hh"
#include "core/whole_io.hh"

namespace layer_store {

namespace {

constexpr size_t kBuffer = 256 * 1024;
constexpr uint64_t kPiece = 64u << 20;

/** What copy_file_range answers where it is no use for this pair of files, as opposed to a real failure. */
bool isUnsupported(int error) {
  return error == EXDEV || error == ENOSYS || error == EINVAL || error == EOPNOTSUPP || error == EPERM || error == ETXTBSY;
}

}  // namespace

ContentCopier::ContentCopier(std::function<void()> checkpoint) : checkpoint_(std::move(checkpoint)), buffer_(kBuffer) {}

uint64_t ContentCopier::copy(int target, int source, const struct stat& st) {
  const auto size = static_cast<uint64_t>(st.st_size);
  if (size == 0) return 0;
  if (clone(target, source)) return size;
  // The block count tells holes apart without a seek per file.
  if (static_cast<uint64_t>(st.st_blocks) * 512 < size) return copySparse(target, source, size);
  // For a small file one read and one write beat setting up a copy inside the kernel.
  if (size <= kBuffer) return readWriteRange(target, source, 0, size);
  return copyRange(target, source, 0, size);
}

bool ContentCopier::clone(int target, int source) {
  if (!mayClone_) return false;
  if (::ioctl(target, FICLONE, source) == 0) return true;
  if (errno == EXDEV) mayCopyRange_ = false;
  mayClone_ = false;
  return false;
}

uint64_t ContentCopier::copyRange(int target, int source, uint64_t offset, uint64_t end) {
  while (mayCopyRange_ && offset < end) {
    pause();
    off_t from = static_cast<off_t>(offset);
    off_t to = from;
    const size_t piece = static_cast<size_t>(std::min(end - offset, kPiece));
    const ssize_t copied = uninterrupted([&] { return ::copy_file_range(source, &from, target, &to, piece, 0); });
    if (copied > 0) {
      offset += static_cast<uint64_t>(copied);
    } else if (copied == 0) {
      // The end of a source that shrank, or a file system (procfs, some FUSE) that pretends: reading tells which.
      break;
    } else if (isUnsupported(errno)) {
      mayCopyRange_ = false;
    } else {
      throw SysError(errno, "copy_file_range");
    }
  }
  return readWriteRange(target, source, offset, end);
}

uint64_t ContentCopier::readWriteRange(int target, int source, uint64_t offset, uint64_t end) {
  while (offset < end) {
    if (end - offset > kBuffer) pause();
    const size_t piece = static_cast<size_t>(std::min<uint64_t>(end - offset, buffer_.size()));
    const ssize_t got =
        uninterrupted([&] { return ::pread(source, buffer_.data(), piece, static_cast<off_t>(offset)); });
    if (got < 0) throw SysError(errno, "read");
    if (got == 0) return offset;
    writeWholeAt(target, buffer_.data(), static_cast<size_t>(got), offset);
    offset += static_cast<uint64_t>(got);
  }
  return offset;
}

uint64_t ContentCopier::copySparse(int target, int source, uint64_t size) {
  off_t at = 0;
  const auto end = static_cast<off_t>(size);
  while (at < end) {
    const off_t data = ::lseek(source, at, SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) break;
      // No hole support: everything is data.
      if (at == 0 && (errno == EINVAL || errno == ENOTSUP)) return copyRange(target, source, 0, size);
      throw SysError(errno, "lseek");
    }
    if (data >= end) break;
    off_t hole = ::lseek(source, data, SEEK_HOLE);
    if (hole < 0) {
      if (errno == ENXIO) break;
      throw SysError(errno, "lseek");
    }
    hole = std::min(hole, end);
    const uint64_t reached = copyRange(target, source, static_cast<uint64_t>(data), static_cast<uint64_t>(hole));
    if (reached < static_cast<uint64_t>(hole)) return reached;
    at = hole;
  }
  if (::ftruncate(target, end) != 0) throw SysError(errno, "ftruncate");
  return size;
}

}  // namespace layer_store
