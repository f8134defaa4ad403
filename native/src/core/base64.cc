#include "core/base64.hh"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace layer_store {

namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Two digits for each value of twelve bits. */
struct Pairs {
  char digits[4096][2];

  constexpr Pairs() : digits{} {
    for (size_t i = 0; i < 4096; i++) {
      digits[i][0] = kDigits[i >> 6];
      digits[i][1] = kDigits[i & 63];
    }
  }
};

constexpr Pairs kPairs;

/** Where encoding has come to. */
struct Progress {
  const uint8_t* from;
  uint8_t* to;
};

#if defined(__x86_64__)

/**
 * Twelve bytes a turn, while sixteen can be read and the sixteen written stay behind what is still to be read. The digits'
 * five ranges differ from their characters by an offset each, which a shuffle looks up (Mula and Lemire, "Faster Base64
 * Encoding and Decoding using AVX2 Instructions").
 */
[[gnu::target("ssse3")]] Progress encodeWide(Progress at, const uint8_t* end) {
  const __m128i spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  const __m128i offsets = _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                        '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  while (end - at.from >= 16 && at.from - at.to >= 4) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at.from));
    bytes = _mm_shuffle_epi8(bytes, spread);
    const __m128i high = _mm_mulhi_epu16(_mm_and_si128(bytes, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
    const __m128i low = _mm_mullo_epi16(_mm_and_si128(bytes, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
    const __m128i values = _mm_or_si128(high, low);
    __m128i range = _mm_subs_epu8(values, _mm_set1_epi8(51));
    range = _mm_or_si128(range, _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), values), _mm_set1_epi8(13)));
    const __m128i text = _mm_add_epi8(_mm_shuffle_epi8(offsets, range), values);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at.to), text);
    at.from += 12;
    at.to += 16;
  }
  return at;
}

bool hasShuffle() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("ssse3");
}

#endif

}  // namespace

void base64InPlace(uint8_t* room, size_t length) {
  const uint8_t* const end = room + base64Length(length);
  Progress at{end - length, room};
#if defined(__x86_64__)
  static const bool wide = hasShuffle();
  if (wide) at = encodeWide(at, end);
#endif
  for (; end - at.from >= 3; at.from += 3, at.to += 4) {
    const unsigned three = static_cast<unsigned>(at.from[0]) << 16 | static_cast<unsigned>(at.from[1]) << 8 | at.from[2];
    std::memcpy(at.to, kPairs.digits[three >> 12], 2);
    std::memcpy(at.to + 2, kPairs.digits[three & 0xFFF], 2);
  }
  const size_t left = static_cast<size_t>(end - at.from);
  if (left == 0) return;
  const unsigned last = static_cast<unsigned>(at.from[0]) << 16 | (left == 2 ? static_cast<unsigned>(at.from[1]) << 8 : 0);
  std::memcpy(at.to, kPairs.digits[last >> 12], 2);
  at.to[2] = left == 2 ? static_cast<uint8_t>(kDigits[(last >> 6) & 63]) : '=';
  at.to[3] = '=';
}

}  // namespace layer_store
