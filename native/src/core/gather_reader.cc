#include "core/gather_reader.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/crc64.hh"
#include "core/extract_error.hh"
#include "core/kernel.hh"
#include "core/tree_directory.hh"

namespace layer_store {

namespace {

constexpr uint8_t kBegin = 1;
constexpr uint8_t kEnd = 2;

/** Bounds-checked little-endian reading. */
class PlanReader {
 public:
  PlanReader(const uint8_t* bytes, size_t length) : at_(bytes), end_(bytes + length) {}

  bool done() const { return at_ == end_; }

  template <typename T>
  T number() {
    const uint8_t* from = bytes(sizeof(T));
    T value = 0;
    for (size_t i = 0; i < sizeof(T); i++) value = static_cast<T>(value | (static_cast<T>(from[i]) << (8 * i)));
    return value;
  }

  const uint8_t* bytes(size_t length) {
    if (static_cast<size_t>(end_ - at_) < length) throw SysError(EINVAL, "plan", {}, {}, "a record is cut off");
    const uint8_t* from = at_;
    at_ += length;
    return from;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace

GatherReader::GatherReader(const std::vector<std::string>& roots) {
  for (const std::string& root : roots) {
    Fd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) throw SysError(errno, "open", root);
    roots_.push_back(std::make_unique<TreeResolver>(std::move(fd)));
  }
}

void GatherReader::gather(const uint8_t* plan, size_t planLength, uint8_t* out, size_t outLength) {
  // What was remembered belongs to the previous plan: the tree may be a live mount.
  for (const auto& root : roots_) root->forget();
  PlanReader reader(plan, planLength);
  while (!reader.done()) {
    const auto flags = reader.number<uint8_t>();
    const auto outOffset = reader.number<uint32_t>();
    const auto length = reader.number<uint32_t>();
    const auto pathLength = reader.number<uint16_t>();
    if (outOffset > outLength || length > outLength - outOffset) throw SysError(EINVAL, "plan", path_, {}, "a record lies outside the buffer");
    try {
      if ((flags & kBegin) != 0) {
        const auto size = reader.number<uint64_t>();
        const auto* path = reinterpret_cast<const char*>(reader.bytes(pathLength));
        openFile({path, pathLength}, size);
      }
      if (!file_.valid()) throw SysError(EINVAL, "plan", {}, {}, "data of no file");
      read(out + outOffset, length);
      if ((flags & kEnd) != 0) {
        const uint64_t expected = crc64_load(reader.bytes(8));
        if (left_ != 0) throw SysError(EINVAL, "plan", {}, {}, "a file is not read to its end");
        file_.reset();
        if (crc_ != expected) corrupt("its CRC-64 differs");
      }
    } catch (const RefusalError& error) {
      throw RefusalError(error.refusal(), error.error(), error.syscall(), path_, error.detail());
    } catch (const SysError& error) {
      throw SysError(error.error(), error.syscall(), path_, {}, error.detail());
    }
  }
}

void GatherReader::corrupt(const char* detail) const {
  throw RefusalError(Refusal::corrupt, EIO, "read", path_, detail);
}

void GatherReader::openFile(std::string_view path, uint64_t size) {
  path_.assign(path);
  file_.reset();
  const size_t slash = path.rfind('/');
  const std::string_view parent = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  const std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  const bool climbs = path == ".." || path.substr(0, 3) == "../" || path.find("/../") != std::string_view::npos || name == "..";
  if (name.empty() || climbs || path.find('\0') != std::string_view::npos) {
    throw RefusalError(Refusal::breakout, EINVAL, "plan", path_, "the path is not clean");
  }
  for (size_t i = 0; i < roots_.size() && !file_.valid(); i++) {
    if (openIn(*roots_[i], parent, name)) break;
  }
  if (!file_.valid()) throw SysError(ENOENT, "openat");
  const struct stat st = statOf(file_.get());
  if (!S_ISREG(st.st_mode)) corrupt("it is no regular file");
  if (static_cast<uint64_t>(st.st_size) != size) corrupt("its size differs");
  left_ = size;
  crc_ = 0;
}

bool GatherReader::openIn(TreeResolver& root, std::string_view parent, const std::string& name) {
  Resolution found;
  try {
    found = root.resolve(parent, nullptr);
  } catch (const SysError& error) {
    if (error.error() == ENOENT || error.error() == ENOTDIR) return false;
    throw;
  }
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  file_.reset(::openat(found.directory->fd.get(), name.c_str(), kFlags));
  if (file_.valid()) return true;
  if (errno == ENOENT) return false;
  // A link, a socket or a device without driver, where a regular file was unpacked.
  if (errno == ELOOP || errno == ENXIO || errno == ENODEV) corrupt("it is no regular file");
  throw SysError(errno, "openat");
}

void GatherReader::read(uint8_t* to, size_t length) {
  if (length > left_) throw SysError(EINVAL, "plan", {}, {}, "more data than the file has");
  for (size_t done = 0; done < length;) {
    const ssize_t got = uninterrupted([&] { return ::read(file_.get(), to + done, length - done); });
    if (got < 0) throw SysError(errno, "read");
    if (got == 0) corrupt("it is shorter than it was");
    done += static_cast<size_t>(got);
  }
  crc_ = Crc64::update(crc_, to, length);
  left_ -= length;
}

}  // namespace layer_store
