#include "core/extract_batch.hh"

#include <cerrno>
#include <cstring>

#include "core/extract_error.hh"

namespace layer_store {

namespace {

[[noreturn]] void malformed(const char* what) { throw SysError(EINVAL, "batch", {}, {}, what); }

/** Little endian whatever the machine. */
template <typename T>
T load(const uint8_t* bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); i++) value = static_cast<T>(value | (static_cast<T>(bytes[i]) << (8 * i)));
  return value;
}

/** Relative and clean: what the planner promises, and what keeps a final component from being `..`. */
void checkPath(std::string_view path) {
  size_t begin = 0;
  while (begin <= path.size()) {
    size_t end = begin;
    while (end < path.size() && path[end] != '/') {
      if (path[end] == '\0') malformed("a path contains NUL");
      end++;
    }
    const size_t length = end - begin;
    if (length == 0 || (length == 1 && path[begin] == '.')) malformed("a path is not clean");
    if (length == 2 && path[begin] == '.' && path[begin + 1] == '.') {
      throw RefusalError(Refusal::breakout, EXDEV, "batch", std::string(path), "a path contains '..'");
    }
    begin = end + 1;
  }
}

}  // namespace

bool XattrList::next(std::string& name, std::string_view& value) {
  if (left_ == 0) return false;
  left_--;
  const auto* bytes = reinterpret_cast<const uint8_t*>(bytes_.data());
  const size_t nameLength = load<uint16_t>(bytes);
  const size_t valueLength = load<uint32_t>(bytes + 2);
  name.assign(bytes_.substr(6, nameLength));
  value = bytes_.substr(6 + nameLength, valueLength);
  bytes_.remove_prefix(6 + nameLength + valueLength);
  return true;
}

template <typename T>
T BatchReader::take() {
  if (static_cast<size_t>(end_ - at_) < sizeof(T)) malformed("a record is cut off");
  const T value = load<T>(at_);
  at_ += sizeof(T);
  return value;
}

std::string_view BatchReader::takeBytes(size_t length) {
  if (static_cast<size_t>(end_ - at_) < length) malformed("a record is cut off");
  const std::string_view bytes(reinterpret_cast<const char*>(at_), length);
  at_ += length;
  return bytes;
}

timespec BatchReader::takeTime() {
  timespec time;
  time.tv_sec = static_cast<time_t>(static_cast<int64_t>(take<uint64_t>()));
  time.tv_nsec = static_cast<long>(take<uint32_t>());
  if (time.tv_nsec > 999999999) malformed("nanoseconds are out of range");
  return time;
}

unsigned BatchReader::takeMeta(ObjectMeta& meta) {
  meta.mode = take<uint32_t>();
  if ((meta.mode & ~07777u) != 0) malformed("a mode has more than permission bits");
  meta.uid = take<uint32_t>();
  meta.gid = take<uint32_t>();
  meta.mtime = takeTime();
  meta.atime = takeTime();
  return take<uint16_t>();
}

XattrList BatchReader::takeXattrs(unsigned count) {
  const uint8_t* begin = at_;
  for (unsigned i = 0; i < count; i++) {
    const size_t nameLength = take<uint16_t>();
    const size_t valueLength = take<uint32_t>();
    takeBytes(nameLength);
    takeBytes(valueLength);
  }
  return XattrList({reinterpret_cast<const char*>(begin), static_cast<size_t>(at_ - begin)}, count);
}

std::string_view BatchReader::takePath(size_t length, bool mayBeRoot) {
  const std::string_view path = takeBytes(length);
  if (!path.empty() || !mayBeRoot) checkPath(path);
  return path;
}

bool BatchReader::next(Operation& operation) {
  if (at_ == end_) return false;
  operation.code = static_cast<OperationCode>(take<uint8_t>());
  operation.flags = take<uint8_t>();
  operation.path = {};
  operation.target = {};
  const size_t pathLength = take<uint16_t>();
  switch (operation.code) {
    case OperationCode::directory: {
      const unsigned xattrs = takeMeta(operation.meta);
      operation.path = takePath(pathLength, true);
      operation.xattrs = takeXattrs(xattrs);
      return true;
    }
    case OperationCode::file: {
      const unsigned xattrs = takeMeta(operation.meta);
      operation.size = take<uint64_t>();
      if (operation.size > INT64_MAX) malformed("a size is out of range");
      operation.fileIndex = take<uint32_t>();
      operation.path = takePath(pathLength, false);
      operation.xattrs = takeXattrs(xattrs);
      return true;
    }
    case OperationCode::data:
      operation.size = take<uint64_t>();
      operation.chunkOffset = take<uint32_t>();
      operation.length = take<uint32_t>();
      if (operation.size > INT64_MAX - static_cast<uint64_t>(operation.length)) malformed("an offset is out of range");
      takeBytes(pathLength);
      return true;
    case OperationCode::fileEnd:
      takeBytes(pathLength);
      return true;
    case OperationCode::hardlink:
    case OperationCode::move: {
      const size_t targetLength = take<uint16_t>();
      operation.path = takePath(pathLength, false);
      operation.target = takePath(targetLength, false);
      return true;
    }
    case OperationCode::symlink: {
      const unsigned xattrs = takeMeta(operation.meta);
      const size_t targetLength = take<uint16_t>();
      operation.path = takePath(pathLength, false);
      operation.target = takeBytes(targetLength);
      operation.xattrs = takeXattrs(xattrs);
      return true;
    }
    case OperationCode::node: {
      const unsigned xattrs = takeMeta(operation.meta);
      operation.type = take<uint32_t>();
      operation.major = take<uint32_t>();
      operation.minor = take<uint32_t>();
      operation.path = takePath(pathLength, false);
      operation.xattrs = takeXattrs(xattrs);
      return true;
    }
    case OperationCode::whiteout:
    case OperationCode::opaque:
      operation.meta.uid = take<uint32_t>();
      operation.meta.gid = take<uint32_t>();
      operation.path = takePath(pathLength, operation.code == OperationCode::opaque);
      return true;
    case OperationCode::remove:
      operation.path = takePath(pathLength, false);
      return true;
  }
  malformed("an operation code is unknown");
}

}  // namespace layer_store
