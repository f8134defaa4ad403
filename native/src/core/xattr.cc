#include "core/xattr.hh"

#include <sys/xattr.h>

#include <cerrno>

#include "core/sys_error.hh"

namespace layer_store::xattr {

namespace {

/** Most values and lists are far smaller; one call then does. */
constexpr size_t kFirstGuess = 512;

const std::string* pathOf(const XattrObject& object) { return std::get_if<std::string>(&object); }

[[noreturn]] void fail(const XattrObject& object, const char* name) {
  const std::string* path = pathOf(object);
  throw SysError(errno, std::string(path != nullptr ? "l" : "f") + name, path != nullptr ? *path : std::string());
}

/** Reads into a growing buffer: the attribute may get longer between being measured and being read. */
template <typename Read>
std::optional<std::string> readGrowing(const Read& read) {
  std::string buffer(kFirstGuess, '\0');
  for (;;) {
    const ssize_t length = read(buffer.data(), buffer.size());
    if (length >= 0) {
      buffer.resize(static_cast<size_t>(length));
      return buffer;
    }
    if (errno != ERANGE) return std::nullopt;
    const ssize_t needed = read(nullptr, 0);
    if (needed < 0) return std::nullopt;
    buffer.resize(std::max(static_cast<size_t>(needed), buffer.size() + 1));
  }
}

}  // namespace

std::optional<std::string> get(const XattrObject& object, const std::string& name) {
  const std::string* path = pathOf(object);
  std::optional<std::string> value = readGrowing([&](char* buffer, size_t size) {
    return path != nullptr ? ::lgetxattr(path->c_str(), name.c_str(), buffer, size)
                           : ::fgetxattr(std::get<int>(object), name.c_str(), buffer, size);
  });
  if (!value && errno != ENODATA) fail(object, "getxattr");
  return value;
}

std::vector<std::string> list(const XattrObject& object) {
  const std::string* path = pathOf(object);
  const std::optional<std::string> names = readGrowing([&](char* buffer, size_t size) {
    return path != nullptr ? ::llistxattr(path->c_str(), buffer, size)
                           : ::flistxattr(std::get<int>(object), buffer, size);
  });
  if (!names) fail(object, "listxattr");
  std::vector<std::string> result;
  for (size_t start = 0; start < names->size();) {
    const size_t end = names->find('\0', start);
    if (end == std::string::npos) break;
    result.push_back(names->substr(start, end - start));
    start = end + 1;
  }
  return result;
}

void set(const XattrObject& object, const std::string& name, const std::string& value, int flags) {
  const std::string* path = pathOf(object);
  const int result = path != nullptr
                         ? ::lsetxattr(path->c_str(), name.c_str(), value.data(), value.size(), flags)
                         : ::fsetxattr(std::get<int>(object), name.c_str(), value.data(), value.size(), flags);
  if (result == -1) fail(object, "setxattr");
}

bool remove(const XattrObject& object, const std::string& name) {
  const std::string* path = pathOf(object);
  const int result = path != nullptr ? ::lremovexattr(path->c_str(), name.c_str())
                                     : ::fremovexattr(std::get<int>(object), name.c_str());
  if (result == 0) return true;
  if (errno != ENODATA) fail(object, "removexattr");
  return false;
}

}  // namespace layer_store::xattr
