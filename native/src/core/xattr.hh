// Extended attributes. Values are bytes, names are bytes without NUL. All throw SysError with the path.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace layer_store {

/** What an attribute belongs to: a path whose last component is not followed, or a descriptor. */
using XattrObject = std::variant<std::string, int>;

namespace xattr {

/** Nothing when the object has no such attribute (ENODATA). */
std::optional<std::string> get(const XattrObject& object, const std::string& name);
std::vector<std::string> list(const XattrObject& object);
/** Flags: 0, XATTR_CREATE 1, XATTR_REPLACE 2. */
void set(const XattrObject& object, const std::string& name, const std::string& value, int flags);
/** False when there was no such attribute. */
bool remove(const XattrObject& object, const std::string& name);

}  // namespace xattr

}  // namespace layer_store
