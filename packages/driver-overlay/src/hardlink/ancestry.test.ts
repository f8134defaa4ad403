import { describe, expect, it } from '@jest/globals';
import type { DriverId } from '@x/layer-store';
import { Ancestry } from './ancestry.js';

const id = (text: string): DriverId => text as DriverId;

describe('ancestry', () => {
  it('only what has nothing below it and nothing on it stands alone', () => {
    const ancestry = new Ancestry();
    ancestry.add(id('a'), []);
    expect(ancestry.standsAlone(id('a'))).toBe(true);
    ancestry.add(id('b'), ancestry.below(id('a')));
    expect([ancestry.standsAlone(id('a')), ancestry.standsAlone(id('b'))]).toEqual([false, false]);
    expect(ancestry.below(id('b'))).toEqual(['b', 'a']);
    ancestry.remove(id('b'));
    expect(ancestry.standsAlone(id('a'))).toBe(true);
  });

  it('a descendant counts also when what is between has gone', () => {
    const ancestry = new Ancestry();
    ancestry.add(id('a'), []);
    ancestry.add(id('b'), [id('a')]);
    ancestry.add(id('c'), ancestry.below(id('b')));
    ancestry.remove(id('b'));
    expect(ancestry.standsAlone(id('a'))).toBe(false);
    ancestry.remove(id('c'));
    expect(ancestry.standsAlone(id('a'))).toBe(true);
  });

  it('beside a tree of unknown origin nothing stands alone, and what is not known does not either', () => {
    const ancestry = new Ancestry();
    ancestry.add(id('a'), []);
    ancestry.add(id('foreign'), undefined);
    expect([ancestry.standsAlone(id('a')), ancestry.standsAlone(id('foreign'))]).toEqual([false, false]);
    ancestry.remove(id('foreign'));
    expect(ancestry.standsAlone(id('a'))).toBe(true);
    expect(ancestry.standsAlone(id('nobody'))).toBe(false);
  });

  it('adding twice and removing twice is once', () => {
    const ancestry = new Ancestry();
    ancestry.add(id('a'), []);
    ancestry.add(id('b'), [id('a')]);
    ancestry.add(id('b'), [id('a')]);
    ancestry.remove(id('b'));
    ancestry.remove(id('b'));
    expect(ancestry.standsAlone(id('a'))).toBe(true);
    ancestry.clear();
    expect(ancestry.standsAlone(id('a'))).toBe(false);
  });
});
