#include "core/crc32.hh"

#include "core/crc_fold.hh"

namespace layer_store {

namespace {

constexpr size_t kSlices = 8;

struct Tables {
  uint32_t slice[kSlices][256];

  constexpr Tables() : slice{} {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t crc = byte;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? static_cast<uint32_t>(Crc32Gzip::kPolynomial) : 0);
      }
      slice[0][byte] = crc;
    }
    for (size_t k = 1; k < kSlices; k++) {
      for (size_t byte = 0; byte < 256; byte++) {
        const uint32_t before = slice[k - 1][byte];
        slice[k][byte] = slice[0][before & 0xFF] ^ (before >> 8);
      }
    }
  }
};

constexpr Tables kTables;

/** On the raw register: neither inverted before nor after. Eight bytes a step. */
uint32_t updateRegister(uint32_t crc, const uint8_t* data, size_t size) {
  for (; size >= kSlices; data += kSlices, size -= kSlices) {
    uint32_t next = 0;
    for (size_t i = 0; i < kSlices; i++) {
      const uint32_t byte = data[i] ^ (i < 4 ? (crc >> (8 * i)) & 0xFF : 0);
      next ^= kTables.slice[kSlices - 1 - i][byte];
    }
    crc = next;
  }
  for (; size > 0; data++, size--) crc = kTables.slice[0][(crc ^ *data) & 0xFF] ^ (crc >> 8);
  return crc;
}

uint32_t updateByTable(uint32_t crc, const uint8_t* data, size_t size) { return ~updateRegister(~crc, data, size); }

template <CrcFold fold, size_t minimum>
uint32_t updateByFolding(uint32_t crc, const uint8_t* data, size_t size) {
  uint32_t state = ~crc;
  if (size >= minimum) {
    uint8_t rest[16];
    const size_t folded = fold(state, data, size, rest);
    state = updateRegister(0, rest, sizeof rest);
    data += folded;
    size -= folded;
  }
  return ~updateRegister(state, data, size);
}

}  // namespace

const std::vector<Crc32Variant>& crc32_variants() {
  static const std::vector<Crc32Variant> variants = [] {
    std::vector<Crc32Variant> runnable = {{"table", updateByTable}};
#if defined(__x86_64__)
    if (crc_can_fold_narrow()) {
      runnable.push_back({"pclmulqdq", updateByFolding<crc32_fold_narrow, kCrcFoldNarrowBlock>});
    }
    if (crc_can_fold_wide()) {
      runnable.push_back({"vpclmulqdq", updateByFolding<crc32_fold_wide, kCrcFoldWideBlock>});
    }
#endif
    return runnable;
  }();
  return variants;
}

uint32_t crc32_update(uint32_t crc, const uint8_t* data, size_t size) {
  static const auto update = crc32_variants().back().update;
  return update(crc, data, size);
}

}  // namespace layer_store
