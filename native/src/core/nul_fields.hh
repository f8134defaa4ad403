// Texts of many fields, each with a NUL behind it: one string crosses from JavaScript faster than a list of objects.
#pragma once

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/sys_error.hh"

namespace layer_store {

/** Reads such a text from its start. A text cut short, or a number that is none, is EINVAL of the call it is for. */
class NulFields {
 public:
  /** Neither is copied. */
  NulFields(const std::string& text, const char* call) : rest_(text), call_(call) {}

  bool more() const { return !rest_.empty(); }

  /** With its NUL behind it, as system calls want it. */
  const char* next() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) refuse();
    const char* field = rest_.data();
    rest_.remove_prefix(end + 1);
    return field;
  }

  int64_t number() {
    const char* field = next();
    const char* end = field + std::strlen(field);
    int64_t value = 0;
    const auto [stop, problem] = std::from_chars(field, end, value);
    if (problem != std::errc() || stop != end) refuse();
    return value;
  }

  [[noreturn]] void refuse() const { throw SysError(EINVAL, call_); }

 private:
  std::string_view rest_;
  const char* call_;
};

}  // namespace layer_store
