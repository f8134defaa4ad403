import { describe, expect, it } from '@jest/globals';
import { OURS, Scoreboard } from './scoreboard.js';

describe('the scoreboard', () => {
  it('gives medians over the rounds and how many times as long as ours the others took', () => {
    const board = new Scoreboard();
    for (const seconds of [1, 9, 2]) board.add('register', OURS, { seconds, maxRssMiB: 50 + seconds });
    for (const seconds of [8, 6, 100]) board.add('register', 'Docker', { seconds });
    const [row] = board.toJSON();
    expect(row?.peakRssMiB).toBe(59);
    expect(
      row?.contestants.map(({ name, median, oursIsFasterBy }) => [name, median, oursIsFasterBy]),
    ).toEqual([
      [OURS, 2, 1],
      ['Docker', 8, 4],
    ]);
    expect(board.toString()).toContain('Docker 8.000 s (x4.00)');
  });
});
