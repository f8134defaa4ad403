import { describe, expect, it } from '@jest/globals';
import { ConsoleTail } from './console-tail.js';

describe('the console’s tail', () => {
  it('gives text on with the line ends of a file', () => {
    expect(new ConsoleTail().add('one\r\ntwo\r\n')).toBe('one\ntwo\n');
  });

  it('has the last lines, and no more than it may keep', () => {
    const tail = new ConsoleTail();
    for (let line = 0; line < 100_000; line++) tail.add(`line ${line}\r\n`);
    expect(tail.lines(2)).toEqual(['line 99998', 'line 99999']);
    expect(tail.lines(1e9).join('\n').length).toBeLessThan(40_000);
    tail.add('unfinished');
    expect(tail.lines(2)).toEqual(['line 99999', 'unfinished']);
  });

  it('notices a panic, in pieces too, and does not forget it', () => {
    const tail = new ConsoleTail();
    tail.add('[  1.0] Kernel panic - not sync');
    expect(tail.panic).toBeUndefined();
    tail.add('ing: Attempted to kill init!\r\nStack:\r\n');
    for (let line = 0; line < 10_000; line++) tail.add('more\n');
    expect(tail.panic).toBe('Kernel panic - not syncing: Attempted to kill init!');
  });

  it('takes no other talk of panics for one', () => {
    const tail = new ConsoleTail();
    tail.add('the test is called Kernel panic\nis not syncing\n');
    expect(tail.panic).toBeUndefined();
  });
});
