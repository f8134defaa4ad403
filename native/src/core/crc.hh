// Reflected CRCs of 32 and 64 bits, all-ones start and final xor: by tables, and by folding where the processor can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/crc_fold.hh"

namespace layer_store {

/** One way of computing a CRC. */
template <typename Register>
struct CrcVariant {
  /** `table`, `pclmulqdq` or `vpclmulqdq`. */
  const char* name;
  /** The CRC of what went before (0 for nothing), extended by `size` bytes. */
  Register (*update)(Register crc, const uint8_t* data, size_t size);
};

/** A CRC of one of the polynomials of core/crc_fold.hh. */
template <typename Polynomial>
class Crc {
 public:
  using Register = typename Polynomial::Register;
  using Variant = CrcVariant<Register>;

  /** Those this processor can run, slowest first; `update` is the last. */
  static const std::vector<Variant>& variants() {
    static const std::vector<Variant> all = [] {
      std::vector<Variant> runnable = {{"table", updateByTable}};
#if defined(__x86_64__)
      if (crc_can_fold_narrow()) {
        runnable.push_back({"pclmulqdq", updateByFolding<Polynomial::foldNarrow, kCrcFoldNarrowBlock>});
      }
      if (crc_can_fold_wide()) {
        runnable.push_back({"vpclmulqdq", updateByFolding<Polynomial::foldWide, kCrcFoldWideBlock>});
      }
#endif
      return runnable;
    }();
    return all;
  }

  static Register update(Register crc, const uint8_t* data, size_t size) {
    static const auto fastest = variants().back().update;
    return fastest(crc, data, size);
  }

 private:
  /** Bytes taken per step: sixteen tables stay within the first-level cache. */
  static constexpr size_t kSlices = 16;

  struct Tables {
    Register slice[kSlices][256];

    constexpr Tables() : slice{} {
      for (Register byte = 0; byte < 256; byte++) {
        Register crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? Polynomial::kPolynomial : 0);
        slice[0][byte] = crc;
      }
      for (size_t k = 1; k < kSlices; k++) {
        for (size_t byte = 0; byte < 256; byte++) {
          const Register before = slice[k - 1][byte];
          slice[k][byte] = slice[0][before & 0xFF] ^ (before >> 8);
        }
      }
    }
  };

  static const Tables& tables() {
    static constexpr Tables built;
    return built;
  }

  static uint64_t loadLittle(const uint8_t* in) {
    uint64_t word;
    std::memcpy(&word, in, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
  }

  /** Eight lookups: the bytes of `word`, whose last byte is followed by `after` more bytes of this step. */
  static Register look(uint64_t word, size_t after) {
    Register out = 0;
    for (size_t byte = 0; byte < 8; byte++) out ^= tables().slice[after + 7 - byte][(word >> (8 * byte)) & 0xFF];
    return out;
  }

  /** On the raw register: neither inverted before nor after. */
  static Register updateRegister(Register crc, const uint8_t* data, size_t size) {
    for (; size >= kSlices; data += kSlices, size -= kSlices) {
      crc = look(loadLittle(data) ^ crc, 8) ^ look(loadLittle(data + 8), 0);
    }
    for (; size > 0; data++, size--) crc = tables().slice[0][(crc ^ *data) & 0xFF] ^ (crc >> 8);
    return crc;
  }

  static Register updateByTable(Register crc, const uint8_t* data, size_t size) {
    return ~updateRegister(~crc, data, size);
  }

  template <CrcFold fold, size_t minimum>
  static Register updateByFolding(Register crc, const uint8_t* data, size_t size) {
    Register state = ~crc;
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
};

}  // namespace layer_store
