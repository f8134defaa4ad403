// CRC-32 as gzip has it (RFC 1952, 8): reflected polynomial 0xEDB88320, all-ones start and final xor.
#pragma once

#include "core/crc.hh"

namespace layer_store {

using Crc32 = Crc<Crc32Gzip>;

}  // namespace layer_store
