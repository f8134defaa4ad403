#include "core/crc_fold.hh"

#if defined(__x86_64__)

#include <immintrin.h>

namespace layer_store {

namespace {

/**
 * x^exponent modulo the polynomial, bit 63 holding the coefficient of x^0 as in a reflected register of 64 bits. A narrower
 * polynomial leaves the lower bits zero.
 */
template <typename Polynomial>
constexpr uint64_t powerOfX(unsigned exponent) {
  constexpr unsigned unused = 64 - 8 * sizeof(typename Polynomial::Register);
  uint64_t value = uint64_t{1} << 63;
  for (unsigned i = 0; i < exponent; i++) {
    const bool carried = ((value >> unused) & 1) != 0;
    if (carried) value ^= uint64_t{1} << unused;
    value >>= 1;
    if (carried) value ^= uint64_t{Polynomial::kPolynomial} << unused;
  }
  return value;
}

/**
 * The multipliers that carry sixteen bytes over `bits` bits of message. A carry-less product of reflected operands comes
 * out one place too high, which the exponents take back.
 */
template <typename Polynomial>
constexpr uint64_t lowMultiplier(unsigned bits) {
  return powerOfX<Polynomial>(bits + 64 - 1);
}
template <typename Polynomial>
constexpr uint64_t highMultiplier(unsigned bits) {
  return powerOfX<Polynomial>(bits - 1);
}

constexpr size_t kLane = 16;
constexpr size_t kNarrowLanes = 8;
constexpr size_t kNarrowBlock = kNarrowLanes * kLane;
static_assert(kNarrowBlock == kCrcFoldNarrowBlock);
constexpr size_t kWideVectors = 4;
constexpr size_t kWideBlock = kWideVectors * 64;
static_assert(kWideBlock == kCrcFoldWideBlock);

[[gnu::target("pclmul,sse4.1")]] inline __m128i carry(__m128i lane, __m128i multipliers) {
  return _mm_xor_si128(_mm_clmulepi64_si128(lane, multipliers, 0x00), _mm_clmulepi64_si128(lane, multipliers, 0x11));
}

template <typename Polynomial, unsigned bits>
[[gnu::target("pclmul,sse4.1")]] inline __m128i multipliers128() {
  constexpr uint64_t low = lowMultiplier<Polynomial>(bits);
  constexpr uint64_t high = highMultiplier<Polynomial>(bits);
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

[[gnu::target("pclmul,sse4.1")]] inline __m128i load128(const uint8_t* data) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
}

/** Eight lanes, one after the other in the message, to one; then single lanes of what is left of the message. */
template <typename Polynomial>
[[gnu::target("pclmul,sse4.1")]] size_t finish(const __m128i lanes[kNarrowLanes], const uint8_t* data, size_t taken,
                                               size_t size, uint8_t rest[16]) {
  const __m128i step = multipliers128<Polynomial, 128>();
  __m128i sum = lanes[0];
  for (size_t i = 1; i < kNarrowLanes; i++) sum = _mm_xor_si128(carry(sum, step), lanes[i]);
  for (; size - taken >= kLane; taken += kLane) sum = _mm_xor_si128(carry(sum, step), load128(data + taken));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), sum);
  return taken;
}

#define LAYER_STORE_WIDE [[gnu::target("pclmul,sse4.1,avx512f,avx512vl,avx512dq,vpclmulqdq")]]

template <typename Polynomial, unsigned bits>
LAYER_STORE_WIDE inline __m512i multipliers512() {
  constexpr long long low = static_cast<long long>(lowMultiplier<Polynomial>(bits));
  constexpr long long high = static_cast<long long>(highMultiplier<Polynomial>(bits));
  return _mm512_set_epi64(high, low, high, low, high, low, high, low);
}

/** carry(vector) ^ next; 0x96 is the truth table of a three-way xor. */
LAYER_STORE_WIDE inline __m512i carryInto(__m512i vector, __m512i multipliers, __m512i next) {
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(vector, multipliers, 0x00),
                                   _mm512_clmulepi64_epi128(vector, multipliers, 0x11), next, 0x96);
}

/** 128 bytes a turn: eight independent products hide the multiplier's latency. */
template <typename Polynomial>
[[gnu::target("pclmul,sse4.1")]] size_t foldNarrow(uint64_t crc, const uint8_t* data, size_t size,
                                                   uint8_t rest[16]) {
  __m128i lanes[kNarrowLanes];
  for (size_t i = 0; i < kNarrowLanes; i++) lanes[i] = load128(data + i * kLane);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, static_cast<long long>(crc)));
  const __m128i step = multipliers128<Polynomial, kNarrowBlock * 8>();
  size_t taken = kNarrowBlock;
  for (; size - taken >= kNarrowBlock; taken += kNarrowBlock) {
    for (size_t i = 0; i < kNarrowLanes; i++) {
      lanes[i] = _mm_xor_si128(carry(lanes[i], step), load128(data + taken + i * kLane));
    }
  }
  return finish<Polynomial>(lanes, data, taken, size, rest);
}

/** 256 bytes a turn. */
template <typename Polynomial>
LAYER_STORE_WIDE size_t foldWide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]) {
  __m512i vectors[kWideVectors];
  for (size_t i = 0; i < kWideVectors; i++) vectors[i] = _mm512_loadu_si512(data + i * 64);
  vectors[0] = _mm512_xor_si512(vectors[0], _mm512_zextsi128_si512(_mm_set_epi64x(0, static_cast<long long>(crc))));
  const __m512i step = multipliers512<Polynomial, kWideBlock * 8>();
  size_t taken = kWideBlock;
  for (; size - taken >= kWideBlock; taken += kWideBlock) {
    for (size_t i = 0; i < kWideVectors; i++) {
      vectors[i] = carryInto(vectors[i], step, _mm512_loadu_si512(data + taken + i * 64));
    }
  }
  // Vectors 0 and 1 onto 2 and 3, which then are the eight consecutive lanes that end the message so far.
  const __m512i half = multipliers512<Polynomial, kWideBlock / 2 * 8>();
  __m128i lanes[kNarrowLanes];
  for (size_t i = 0; i < 2; i++) {
    _mm512_storeu_si512(&lanes[4 * i], carryInto(vectors[i], half, vectors[i + 2]));
  }
  return finish<Polynomial>(lanes, data, taken, size, rest);
}

}  // namespace

size_t Crc64Iso::foldNarrow(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]) {
  return layer_store::foldNarrow<Crc64Iso>(crc, data, size, rest);
}

size_t Crc64Iso::foldWide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]) {
  return layer_store::foldWide<Crc64Iso>(crc, data, size, rest);
}

size_t Crc32Gzip::foldNarrow(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]) {
  return layer_store::foldNarrow<Crc32Gzip>(crc, data, size, rest);
}

size_t Crc32Gzip::foldWide(uint64_t crc, const uint8_t* data, size_t size, uint8_t rest[16]) {
  return layer_store::foldWide<Crc32Gzip>(crc, data, size, rest);
}

bool crc_can_fold_narrow() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

bool crc_can_fold_wide() {
  return crc_can_fold_narrow() && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

}  // namespace layer_store

#endif
