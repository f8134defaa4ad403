// CRC-64 as Go's hash/crc64 ISO table computes it (spec/layer-archive.md 3.2): reflected polynomial 0xD800000000000000,
// all-ones start and final xor. Finished at every step: no init, no finalise.
#pragma once

#include "core/crc.hh"

namespace layer_store {

using Crc64 = Crc<Crc64Iso>;

/** Big endian, as tar-split stores it. */
void crc64_store(uint64_t crc, uint8_t out[8]);
uint64_t crc64_load(const uint8_t in[8]);

}  // namespace layer_store
