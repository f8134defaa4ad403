// Incremental digests by the OpenSSL that is in the process already: Node's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace layer_store {

/**
 * The functions are looked up when the first digest is made, so that the addon also loads into a program that has no OpenSSL,
 * or hides it. Not thread-safe: one call at a time.
 */
class OpensslDigest {
 public:
  /** Whether this process has OpenSSL's digest functions, and they know the algorithm. */
  static bool knows(const std::string& algorithm);

  /** Throws std::runtime_error when it is not known. */
  explicit OpensslDigest(const std::string& algorithm);
  ~OpensslDigest();
  OpensslDigest(const OpensslDigest&) = delete;
  OpensslDigest& operator=(const OpensslDigest&) = delete;

  void update(const uint8_t* data, size_t size);
  /** Ends the input; nothing may follow. */
  std::string finish();

 private:
  void* context_;
};

}  // namespace layer_store
