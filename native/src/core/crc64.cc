#include "core/crc64.hh"

#include <cstring>

#include "core/crc_fold.hh"

namespace layer_store {

namespace {

constexpr uint64_t kPolynomial = Crc64Iso::kPolynomial;
/** Bytes taken per step: sixteen tables of 2 KiB stay within the first-level cache. */
constexpr size_t kSlices = 16;

struct Tables {
  uint64_t slice[kSlices][256];

  constexpr Tables() : slice{} {
    for (uint64_t byte = 0; byte < 256; byte++) {
      uint64_t crc = byte;
      for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
      slice[0][byte] = crc;
    }
    for (size_t k = 1; k < kSlices; k++) {
      for (size_t byte = 0; byte < 256; byte++) {
        const uint64_t before = slice[k - 1][byte];
        slice[k][byte] = slice[0][before & 0xFF] ^ (before >> 8);
      }
    }
  }
};

constexpr Tables kTables;

uint64_t loadLittle(const uint8_t* in) {
  uint64_t word;
  std::memcpy(&word, in, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/** Eight lookups: the bytes of `word`, whose last byte is followed by `after` more bytes of this step. */
inline uint64_t look(uint64_t word, size_t after) {
  uint64_t out = 0;
  for (size_t byte = 0; byte < 8; byte++) out ^= kTables.slice[after + 7 - byte][(word >> (8 * byte)) & 0xFF];
  return out;
}

/** On the raw register: neither inverted before nor after. */
uint64_t updateRegister(uint64_t crc, const uint8_t* data, size_t size) {
  for (; size >= kSlices; data += kSlices, size -= kSlices) {
    crc = look(loadLittle(data) ^ crc, 8) ^ look(loadLittle(data + 8), 0);
  }
  for (; size > 0; data++, size--) crc = kTables.slice[0][(crc ^ *data) & 0xFF] ^ (crc >> 8);
  return crc;
}

uint64_t updateByTable(uint64_t crc, const uint8_t* data, size_t size) { return ~updateRegister(~crc, data, size); }

template <CrcFold fold, size_t minimum>
uint64_t updateByFolding(uint64_t crc, const uint8_t* data, size_t size) {
  uint64_t state = ~crc;
  if (size >= minimum) {
    uint8_t rest[16];
    const size_t folded = fold(state, data, size, rest);
    // What folding leaves is congruent to all that it took, so its CRC from a zero register is the new register.
    state = updateRegister(0, rest, sizeof rest);
    data += folded;
    size -= folded;
  }
  return ~updateRegister(state, data, size);
}

}  // namespace

const std::vector<Crc64Variant>& crc64_variants() {
  static const std::vector<Crc64Variant> variants = [] {
    std::vector<Crc64Variant> runnable = {{"table", updateByTable}};
#if defined(__x86_64__)
    if (crc_can_fold_narrow()) {
      runnable.push_back({"pclmulqdq", updateByFolding<crc64_fold_narrow, kCrcFoldNarrowBlock>});
    }
    if (crc_can_fold_wide()) {
      runnable.push_back({"vpclmulqdq", updateByFolding<crc64_fold_wide, kCrcFoldWideBlock>});
    }
#endif
    return runnable;
  }();
  return variants;
}

uint64_t crc64_update(uint64_t crc, const uint8_t* data, size_t size) {
  static const auto update = crc64_variants().back().update;
  return update(crc, data, size);
}

void crc64_store(uint64_t crc, uint8_t out[8]) {
  for (int i = 0; i < 8; i++) out[i] = static_cast<uint8_t>(crc >> (56 - 8 * i));
}

uint64_t crc64_load(const uint8_t in[8]) {
  uint64_t crc = 0;
  for (int i = 0; i < 8; i++) crc = (crc << 8) | in[i];
  return crc;
}

}  // namespace layer_store
