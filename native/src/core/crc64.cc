#include "core/crc64.hh"

namespace layer_store {

void crc64_store(uint64_t crc, uint8_t out[8]) {
  for (int i = 0; i < 8; i++) out[i] = static_cast<uint8_t>(crc >> (56 - 8 * i));
}

uint64_t crc64_load(const uint8_t in[8]) {
  uint64_t crc = 0;
  for (int i = 0; i < 8; i++) crc = (crc << 8) | in[i];
  return crc;
}

}  // namespace layer_store
