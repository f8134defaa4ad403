// What an extraction or a read back refuses for reasons of its own, not the kernel's.
#pragma once

#include <cerrno>
#include <string>

#include "core/sys_error.hh"

namespace layer_store {

/** Why; the names of these travel to JavaScript as `kind`. */
enum class Refusal { breakout, invalidLink, overwriteRefused, bodyMismatch, corrupt };

inline const char* refusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::breakout:
      return "breakout";
    case Refusal::invalidLink:
      return "invalid-link";
    case Refusal::overwriteRefused:
      return "overwrite-refused";
    case Refusal::bodyMismatch:
      return "body-mismatch";
    case Refusal::corrupt:
      return "corrupt";
  }
  return "";
}

/** A SysError with a reason. `error` is the nearest errno, for callers that look at nothing else. */
class RefusalError : public SysError {
 public:
  RefusalError(Refusal refusal, int error, std::string syscall, std::string path = {}, std::string detail = {})
      : SysError(error, std::move(syscall), std::move(path), {}, std::move(detail)), refusal_(refusal) {}

  Refusal refusal() const { return refusal_; }

 private:
  Refusal refusal_;
};

}  // namespace layer_store
