// Folding: shrinks a long message to sixteen bytes with the same remainder, by carry-less multiplication.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layer_store {

/**
 * Takes as much of `data` as makes whole steps (at least one block must be there), leaves sixteen bytes congruent to it in
 * `rest`, and returns how much it took. `crc` is the raw register.
 */
using CrcFold = size_t (*)(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);

/**
 * Reflected polynomials without their highest term, the coefficient of x^0 in the highest bit of the register, and how they fold:
 * narrow with PCLMULQDQ on eight 128-bit lanes, wide with VPCLMULQDQ on four 512-bit vectors.
 */
struct Crc64Iso {
  using Register = uint64_t;
  static constexpr Register kPolynomial = 0xD800000000000000;
  static size_t foldNarrow(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
  static size_t foldWide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
};
struct Crc32Gzip {
  using Register = uint32_t;
  static constexpr Register kPolynomial = 0xEDB88320;
  static size_t foldNarrow(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
  static size_t foldWide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
};

#if defined(__x86_64__)

constexpr size_t kCrcFoldNarrowBlock = 128;
constexpr size_t kCrcFoldWideBlock = 256;

/** Whether the processor, and the kernel that saves its registers, can run them. */
bool crc_can_fold_narrow();
bool crc_can_fold_wide();

#endif

}  // namespace layer_store
