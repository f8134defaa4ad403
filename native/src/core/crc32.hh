// CRC-32 as gzip has it (RFC 1952, 8): reflected polynomial 0xEDB88320, all-ones start and final xor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace layer_store {

/** The CRC of what went before (0 for nothing), extended by `size` bytes. */
uint32_t crc32_update(uint32_t crc, const uint8_t* data, size_t size);

/** One way of computing it. */
struct Crc32Variant {
  /** `table`, `pclmulqdq` or `vpclmulqdq`. */
  const char* name;
  uint32_t (*update)(uint32_t crc, const uint8_t* data, size_t size);
};

/** Those this processor can run, slowest first; `crc32_update` is the last. */
const std::vector<Crc32Variant>& crc32_variants();

}  // namespace layer_store
