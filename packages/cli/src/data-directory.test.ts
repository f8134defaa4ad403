import { describe, expect, it } from '@jest/globals';
import { dataDirectory } from './data-directory.js';

describe('the default store root', () => {
  it("is the system's for root", () => {
    expect(dataDirectory({ XDG_DATA_HOME: '/x' }, 0, '/root')).toBe('/var/lib/layer-store');
  });
  it("is the user's data directory otherwise", () => {
    expect(dataDirectory({ XDG_DATA_HOME: '/data' }, 1000, '/home/u')).toBe('/data/layer-store');
    expect(dataDirectory({}, 1000, '/home/u')).toBe('/home/u/.local/share/layer-store');
  });
  it('ignores a relative XDG_DATA_HOME, as its specification asks', () => {
    expect(dataDirectory({ XDG_DATA_HOME: 'data' }, 1000, '/home/u')).toBe(
      '/home/u/.local/share/layer-store',
    );
  });
});
