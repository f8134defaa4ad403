// Base64 of bytes that wait, unencoded, at the end of the room their text will have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace layer_store {

/** Characters of the base64 of `length` bytes, padding included. */
constexpr size_t base64Length(size_t length) { return (length + 2) / 3 * 4; }

/**
 * `room` is `base64Length(length)` bytes; the last `length` of them become the text of all of them (RFC 4648, 4). In place, from
 * front to back: the text never overtakes what is still to be read.
 */
void base64InPlace(uint8_t* room, size_t length);

}  // namespace layer_store
