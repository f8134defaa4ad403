// Folding: shrinks a long message to sixteen bytes with the same remainder, by carry-less multiplication.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layer_store {

/** Reflected polynomials without their highest term, the coefficient of x^0 in the highest bit; `kBits` wide. */
struct Crc64Iso {
  static constexpr uint64_t kPolynomial = 0xD800000000000000;
  static constexpr unsigned kBits = 64;
};
struct Crc32Gzip {
  static constexpr uint64_t kPolynomial = 0xEDB88320;
  static constexpr unsigned kBits = 32;
};

/**
 * Takes as much of `data` as makes whole steps (at least one block must be there), leaves sixteen bytes congruent to it in
 * `rest`, and returns how much it took. `crc` is the raw register.
 */
using CrcFold = size_t (*)(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);

#if defined(__x86_64__)

constexpr size_t kCrcFoldNarrowBlock = 128;
constexpr size_t kCrcFoldWideBlock = 256;

/** PCLMULQDQ on eight 128-bit lanes. */
size_t crc64_fold_narrow(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
size_t crc32_fold_narrow(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
/** VPCLMULQDQ on four 512-bit vectors. */
size_t crc64_fold_wide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);
size_t crc32_fold_wide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]);

/** Whether the processor, and the kernel that saves its registers, can run them. */
bool crc_can_fold_narrow();
bool crc_can_fold_wide();

#endif

}  // namespace layer_store
