// A failed system call on its way to whoever reports it.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace layer_store {

/** errno, the call's name, the paths it was given and, where the kernel said more, that text. */
class SysError : public std::exception {
 public:
  SysError(int error, std::string syscall, std::string path = {}, std::string dest = {}, std::string detail = {})
      : error_(error),
        syscall_(std::move(syscall)),
        path_(std::move(path)),
        dest_(std::move(dest)),
        detail_(std::move(detail)) {}

  int error() const { return error_; }
  const std::string& syscall() const { return syscall_; }
  const std::string& path() const { return path_; }
  const std::string& dest() const { return dest_; }
  const std::string& detail() const { return detail_; }
  const char* what() const noexcept override { return syscall_.c_str(); }

 private:
  int error_;
  std::string syscall_;
  std::string path_;
  std::string dest_;
  std::string detail_;
};

}  // namespace layer_store
