// Folding: shrinks a long message to sixteen bytes with the same remainder, by carry-less multiplication.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layer_store {

/**
 * Folds a whole number of its blocks, at least `minimum` bytes given, and returns how many bytes it took. `crc` is the raw register.
 */
using Crc64Fold = size_t (*)(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);

struct Crc64Folder {
  /** nullptr: this machine has no carry-less multiplication. */
  Crc64Fold fold;
  size_t minimum;
  const char* name;
};

/** The fastest this processor (and its kernel) can run. */
Crc64Folder crc64_choose_folder();

}  // namespace layer_store
