// CRC-64 as Go's hash/crc64 ISO table computes it (spec/layer-archive.md 3.2): reflected polynomial 0xD800000000000000,
// all-ones start and final xor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace layer_store {

/** The CRC of what went before (0 for nothing), extended by `size` bytes. Finished at every step: no init, no finalise. */
uint64_t crc64_update(uint64_t crc, const uint8_t* data, size_t size);

/** One way of computing it. */
struct Crc64Variant {
  /** `table`, `pclmulqdq` or `vpclmulqdq`. */
  const char* name;
  uint64_t (*update)(uint64_t crc, const uint8_t* data, size_t size);
};

/** Those this processor can run, slowest first; `crc64_update` is the last. */
const std::vector<Crc64Variant>& crc64_variants();

/** Big endian, as tar-split stores it. */
void crc64_store(uint64_t crc, uint8_t out[8]);
uint64_t crc64_load(const uint8_t in[8]);

}  // namespace layer_store
