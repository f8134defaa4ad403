import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;

/** The name of a layer in `l/`: short, so that many fit the options of one mount. */
export type ShortLink = string & { readonly [brand]: 'ShortLink' };

const LENGTH = 26;
/** 26 letters of 5 bits. */
const RANDOM_BYTES = 17;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SHORT_LINK = /^[A-Z2-7]{26}$/;

/** A new random name (spec/drivers.md 4.6). */
export function newShortLink(): ShortLink {
  let bits = 0;
  let buffered = 0;
  let text = '';
  for (const byte of randomBytes(RANDOM_BYTES)) {
    buffered = (buffered << 8) | byte;
    bits += 8;
    for (; bits >= 5 && text.length < LENGTH; bits -= 5) text += ALPHABET[(buffered >> (bits - 5)) & 31];
    buffered &= (1 << bits) - 1;
  }
  return text as ShortLink;
}

/** Whether a text is such a name. Everything else in `l/`, or in a `link` file, is damage. */
export function isShortLink(text: string): text is ShortLink {
  return SHORT_LINK.test(text);
}
