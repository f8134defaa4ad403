import { describe, expect, it } from '@jest/globals';
import { isShortLink, newShortLink } from './short-link.js';

describe('short links', () => {
  it('are 26 letters of base32, and do not come twice', () => {
    const links = Array.from({ length: 2000 }, newShortLink);
    expect(new Set(links).size).toBe(2000);
    expect(links.every((link) => /^[A-Z2-7]{26}$/.test(link))).toBe(true);
    // Each letter at each place, or random bits are lost on the way.
    for (let place = 0; place < 26; place++) {
      expect(new Set(links.map((link) => link[place])).size).toBe(32);
    }
  });

  it.each(['', '.', '..', 'l', '../x', 'A'.repeat(25), 'A'.repeat(27), 'a'.repeat(26), '1'.repeat(26)])(
    'are not %j',
    (text) => {
      expect(isShortLink(text)).toBe(false);
    },
  );
});
