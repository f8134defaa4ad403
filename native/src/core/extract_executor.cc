#include "core/extract_executor.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/crc64.hh"
#include "core/extract_error.hh"
#include "core/kernel.hh"
#include "core/tree_directory.hh"
#include "core/whole_io.hh"

namespace layer_store {

namespace {

Fd openRoot(std::string root) {
  // With a trailing slash O_NOFOLLOW would follow.
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) throw SysError(errno, "open", root);
  return fd;
}

[[noreturn]] void outOfOrder(const char* what) { throw SysError(EINVAL, "batch", {}, {}, what); }

}  // namespace

Extractor::Extractor(const std::string& root, ExtractOptions options)
    : options_(std::move(options)),
      resolver_(openRoot(root)),
      metadata_(options_.report, warnings_),
      stash_(options_.stashDirectory),
      ownUid_(::geteuid()),
      ownGid_(::getegid()) {
  mark(resolver_.root());
}

ExtractResult Extractor::run(const uint8_t* operations, size_t operationsLength, const uint8_t* chunk,
                             size_t chunkLength) {
  if (failed_) outOfOrder("a batch failed before");
  failed_ = true;
  chunk_ = chunk;
  chunkLength_ = chunkLength;
  BatchReader reader(operations, operationsLength);
  Operation operation{};
  const auto pathOf = [&](const SysError& error) {
    if (!error.path().empty()) return error.path();
    return operation.path.empty() ? file_.path : std::string(operation.path);
  };
  try {
    while (reader.next(operation)) execute(operation);
  } catch (const RefusalError& error) {
    throw RefusalError(error.refusal(), error.error(), error.syscall(), pathOf(error), error.detail());
  } catch (const SysError& error) {
    throw SysError(error.error(), error.syscall(), pathOf(error), std::string(operation.target), error.detail());
  }
  failed_ = false;
  result_.displaced = stash_.take();
  result_.warnings = warnings_.take();
  return std::exchange(result_, {});
}

void Extractor::execute(const Operation& operation) {
  switch (operation.code) {
    case OperationCode::data:
      return writeData(operation);
    case OperationCode::fileEnd:
      return endFile();
    default:
      break;
  }
  if (file_.fd.valid()) outOfOrder("a file is still open");
  switch (operation.code) {
    case OperationCode::directory:
      return makeDirectoryEntry(operation);
    case OperationCode::file:
      return openFile(operation);
    case OperationCode::hardlink:
      return makeHardlink(operation);
    case OperationCode::symlink:
      return makeSymlink(operation);
    case OperationCode::node:
      return makeNode(operation);
    case OperationCode::whiteout:
      return whiteout(operation);
    case OperationCode::opaque:
      return opaque(operation);
    case OperationCode::move:
      return moveObject(operation);
    case OperationCode::remove:
      return removeObject(operation);
    default:
      return;
  }
}

void Extractor::openFile(const Operation& operation) {
  const Place place = placeOf(operation.path, PathUse::unpacked);
  const int directory = place.directory->fd.get();
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  // Set-id bits wait for the owner; the kernel would drop them at chown anyway.
  // To set user.* attributes takes the right to write the inode, an open descriptor is not enough (xattr(7)).
  const mode_t mode = (operation.meta.mode & 0777) | (operation.xattrs.empty() ? 0 : S_IWUSR);
  Fd fd(::openat(directory, place.name, kFlags, mode));
  if (!fd.valid() && errno == EEXIST) {
    clearWay(place, false);
    fd.reset(::openat(directory, place.name, kFlags, mode));
  }
  if (!fd.valid()) throw SysError(errno, "openat");
  file_.made = statOf(fd.get());
  endWhiteout(place);
  unpacked(place, operation.fileIndex);
  if (place.throughLink && operation.fileIndex != kNoIndex) {
    const std::string real = place.directory->path();
    stash_.watch(operation.fileIndex, operation.path, real.empty() ? name_ : real + "/" + name_, InodeKey::of(file_.made));
  }

  file_.fd = std::move(fd);
  file_.size = operation.size;
  file_.written = 0;
  file_.crc = 0;
  file_.index = operation.fileIndex;
  file_.sparse = (operation.flags & kFlagSparse) != 0;
  file_.meta = operation.meta;
  file_.path.assign(operation.path);
  file_.xattrBytes.assign(operation.xattrs.bytes());
  file_.xattrCount = operation.xattrs.left();
}

void Extractor::writeData(const Operation& operation) {
  if (!file_.fd.valid()) outOfOrder("data without a file");
  if (operation.chunkOffset > chunkLength_ || operation.length > chunkLength_ - operation.chunkOffset) {
    outOfOrder("data outside the chunk");
  }
  const uint64_t end = operation.size + operation.length;
  if (end > file_.size || (!file_.sparse && operation.size != file_.written)) outOfOrder("data outside the file");
  const uint8_t* bytes = chunk_ + operation.chunkOffset;
  if (file_.sparse) {
    writeWholeAt(file_.fd.get(), bytes, operation.length, operation.size);
  } else {
    writeWhole(file_.fd.get(), bytes, operation.length);
  }
  // An indexed sparse file is a planner's mistake that tar-split would pay for: holes have no CRC here.
  if (file_.index != kNoIndex && !file_.sparse) file_.crc = Crc64::update(file_.crc, bytes, operation.length);
  if (end > file_.written) file_.written = end;
}

void Extractor::endFile() {
  if (!file_.fd.valid()) outOfOrder("the end of no file");
  if (file_.written != file_.size) {
    if (!file_.sparse) {
      const std::string counts = std::to_string(file_.written) + " of " + std::to_string(file_.size) + " bytes";
      throw RefusalError(Refusal::bodyMismatch, EINVAL, "write", file_.path, counts);
    }
    if (::ftruncate(file_.fd.get(), static_cast<off_t>(file_.size)) != 0) throw SysError(errno, "ftruncate");
  }
  const ObjectRef object = ObjectRef::open(file_.fd.get());
  applyMetadata(object, file_.made, file_.meta, XattrList(file_.xattrBytes, file_.xattrCount), file_.path);
  metadata_.times(object, file_.meta.atime, file_.meta.mtime);
  file_.fd.reset();
  if (file_.index != kNoIndex && !file_.sparse) result_.checksums.push_back({file_.index, file_.crc});
}

}  // namespace layer_store
