#include "core/text_deflater.hh"

#include <algorithm>
#include <cstring>

namespace layer_store {

namespace {

constexpr unsigned kHashBits = 15;
/** How far back a match may begin (RFC 1951, 2). */
constexpr uint32_t kWindow = 32768;
constexpr size_t kShortestMatch = 6;
constexpr size_t kLongestMatch = 258;
constexpr size_t kShortestCode = 3;
/** Positions are 32 bits: well before they are used up the table starts over. */
constexpr uint32_t kLastBase = 0x7FFFFFFF;

/** Bits as they go into the stream, lowest first. */
struct Code {
  uint32_t bits;
  uint8_t length;
};

/** Huffman codes are packed from their highest bit on (RFC 1951, 3.1.1), everything else from the lowest. */
constexpr uint32_t reversed(uint32_t code, unsigned length) {
  uint32_t out = 0;
  for (unsigned i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i);
  return out;
}

/** Of the fixed code (RFC 1951, 3.2.6). */
constexpr Code fixedCode(unsigned symbol) {
  if (symbol < 144) return {reversed(0x30 + symbol, 8), 8};
  if (symbol < 256) return {reversed(0x190 + symbol - 144, 9), 9};
  if (symbol < 280) return {reversed(symbol - 256, 7), 7};
  return {reversed(0xC0 + symbol - 280, 8), 8};
}

/** Every literal, and every length with its extra bits (RFC 1951, 3.2.5). */
struct Codes {
  Code literal[256];
  Code length[kLongestMatch + 1];

  constexpr Codes() : literal{}, length{} {
    for (unsigned byte = 0; byte < 256; byte++) literal[byte] = fixedCode(byte);
    unsigned symbol = 257;
    unsigned first = kShortestCode;
    for (unsigned extra = 0; extra <= 5; extra++) {
      const unsigned symbols = extra == 0 ? 8 : 4;
      for (unsigned i = 0; i < symbols; i++, symbol++) {
        const Code code = fixedCode(symbol);
        for (unsigned value = 0; value < (1u << extra); value++, first++) {
          length[first] = {code.bits | value << code.length, static_cast<uint8_t>(code.length + extra)};
        }
      }
    }
    length[kLongestMatch] = fixedCode(285);
  }
};

constexpr Codes kCodes;

constexpr Code distanceCode(uint32_t distance) {
  const uint32_t value = distance - 1;
  if (value < 2) return {reversed(value, 5), 5};
  const unsigned top = 31 - static_cast<unsigned>(__builtin_clz(value));
  const unsigned extra = top - 1;
  const uint32_t symbol = 2 * top + ((value >> extra) & 1);
  return {reversed(symbol, 5) | (value & ((1u << extra) - 1)) << 5, static_cast<uint8_t>(5 + extra)};
}

uint64_t load64(const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/** The first bytes in memory, in the lowest bits. */
uint64_t firstSix(const uint8_t* at) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return __builtin_bswap64(load64(at)) & 0xFFFFFFFFFFFF;
#else
  return load64(at) & 0xFFFFFFFFFFFF;
#endif
}

uint32_t hashOf(uint64_t six) { return static_cast<uint32_t>((six * 0x9E3779B97F4A7C15u << 8) >> (64 - kHashBits)); }

/** How many bytes are equal at both places, the later of which has `limit`. */
size_t equalBytes(const uint8_t* earlier, const uint8_t* later, size_t limit) {
  size_t length = 0;
  for (; length + 8 <= limit; length += 8) {
    const uint64_t difference = load64(earlier + length) ^ load64(later + length);
    if (difference == 0) continue;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return length + static_cast<size_t>(__builtin_clzll(difference)) / 8;
#else
    return length + static_cast<size_t>(__builtin_ctzll(difference)) / 8;
#endif
  }
  while (length < limit && earlier[length] == later[length]) length++;
  return length;
}

/** Packs bits into bytes that have been made room for. */
class BitWriter {
 public:
  explicit BitWriter(uint8_t* to) : to_(to) {}

  void put(Code code) {
    bits_ |= uint64_t{code.bits} << used_;
    used_ += code.length;
    if (used_ < 32) return;
    for (int i = 0; i < 4; i++) to_[i] = static_cast<uint8_t>(bits_ >> (8 * i));
    to_ += 4;
    bits_ >>= 32;
    used_ -= 32;
  }

  /** Ends the block and fills up to a byte with an empty stored block, as zlib's sync flush does. */
  uint8_t* align() {
    put(fixedCode(256));
    put({0, 3});
    for (; used_ > 0; used_ = used_ > 8 ? used_ - 8 : 0, bits_ >>= 8) *to_++ = static_cast<uint8_t>(bits_);
    static constexpr uint8_t kEmpty[] = {0x00, 0x00, 0xFF, 0xFF};
    std::memcpy(to_, kEmpty, sizeof kEmpty);
    return to_ + sizeof kEmpty;
  }

 private:
  uint8_t* to_;
  uint64_t bits_ = 0;
  unsigned used_ = 0;
};

void putMatch(BitWriter& writer, size_t length, uint32_t distance) {
  const Code code = distanceCode(distance);
  while (length > kLongestMatch) {
    // The rest must be long enough for a code of its own.
    const size_t part = length - kLongestMatch < kShortestCode ? kLongestMatch - kShortestCode : kLongestMatch;
    writer.put(kCodes.length[part]);
    writer.put(code);
    length -= part;
  }
  writer.put(kCodes.length[length]);
  writer.put(code);
}

}  // namespace

TextDeflater::TextDeflater() : seen_(std::make_unique<uint32_t[]>(size_t{1} << kHashBits)) {}

uint8_t* TextDeflater::block(const uint8_t* text, size_t size, uint8_t* out) {
  // What the table has of other blocks is further away than a match may be.
  if (size > kLastBase - kWindow - base_) {
    std::fill_n(seen_.get(), size_t{1} << kHashBits, 0u);
    base_ = 0;
  }
  base_ += kWindow + 1;
  BitWriter writer(out);
  writer.put({0b010, 3});
  size_t at = 0;
  while (at + 8 <= size) {
    const uint64_t six = firstSix(text + at);
    uint32_t& place = seen_[hashOf(six)];
    const uint32_t distance = base_ + static_cast<uint32_t>(at) - place;
    place = base_ + static_cast<uint32_t>(at);
    if (distance <= kWindow && firstSix(text + at - distance) == six) {
      const size_t length =
          kShortestMatch + equalBytes(text + at - distance + kShortestMatch, text + at + kShortestMatch,
                                      size - at - kShortestMatch);
      putMatch(writer, length, distance);
      at += length;
    } else {
      writer.put(kCodes.literal[text[at++]]);
    }
  }
  while (at < size) writer.put(kCodes.literal[text[at++]]);
  base_ += static_cast<uint32_t>(size);
  return writer.align();
}

uint8_t* TextDeflater::finish(uint8_t* out) {
  // One empty block of fixed codes that says it is the last.
  out[0] = 0x03;
  out[1] = 0x00;
  return out + kEnd;
}

}  // namespace layer_store
