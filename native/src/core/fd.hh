// Owner of one file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace layer_store {

/** Closes its descriptor when it goes; moves, never copies. */
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }
  /** Gives the descriptor away. */
  int release() { return std::exchange(number_, -1); }
  /** Closes the present one (Linux closes it even when close() reports an error) and takes over `number`. */
  void reset(int number = -1) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

 private:
  int number_ = -1;
};

}  // namespace layer_store
