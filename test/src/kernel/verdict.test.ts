import { describe, expect, it } from '@jest/globals';
import { ConsoleTail } from './console-tail.js';
import { type GuestEnd, verdictOf } from './verdict.js';

const off: GuestEnd = { outcome: undefined, timedOutAfterSeconds: undefined, exitCode: 0, signal: null };

function tailOf(text: string): ConsoleTail {
  const tail = new ConsoleTail();
  tail.add(text);
  return tail;
}
const quiet: ConsoleTail = tailOf('last words\n');

describe('the harness’s verdict', () => {
  it.each([0, 1, 42])('is the command’s own exit code, %i, without a word', (code) => {
    expect(verdictOf({ ...off, outcome: { kind: 'exit', code } }, quiet)).toEqual({
      exitCode: code,
      message: undefined,
    });
  });

  it('is a failure with the console’s tail when the guest died', () => {
    const died = verdictOf({ ...off, exitCode: null, signal: 'SIGABRT' }, quiet);
    expect(died.exitCode).toBe(70);
    expect(died.message).toMatch(/died without an outcome \(SIGABRT\)[\s\S]*\| last words$/);
    // Switched off in order, but without a word.
    expect(verdictOf(off, quiet)).toMatchObject({ exitCode: 70 });
  });

  it('is a failure when the kernel panicked, even after the command succeeded', () => {
    const tail = tailOf('Kernel panic - not syncing: Fatal exception\nCPU: 0\n');
    const verdict = verdictOf({ ...off, outcome: { kind: 'exit', code: 0 } }, tail);
    expect(verdict.exitCode).toBe(70);
    expect(verdict.message).toMatch(/panicked: Kernel panic - not syncing: Fatal exception[\s\S]*CPU: 0/);
  });

  it('is a failure when time was up', () => {
    const late = { ...off, timedOutAfterSeconds: 9, signal: 'SIGKILL', exitCode: null };
    expect(verdictOf(late, quiet)).toMatchObject({
      exitCode: 70,
      message: expect.stringMatching(/after 9 s/),
    });
    const stuck = verdictOf({ ...late, outcome: { kind: 'exit', code: 0 } }, quiet);
    expect(stuck).toMatchObject({ exitCode: 70, message: expect.stringMatching(/guest did not/) });
  });

  it('is a failure that says why when the command did not run to its end', () => {
    expect(verdictOf({ ...off, outcome: { kind: 'signal', signal: 'SIGKILL' } }, quiet)).toMatchObject({
      exitCode: 70,
      message: expect.stringMatching(/killed by SIGKILL/),
    });
    expect(
      verdictOf({ ...off, outcome: { kind: 'setup-failed', message: 'modprobe loop' } }, quiet),
    ).toMatchObject({ exitCode: 70, message: expect.stringMatching(/could not be set up: modprobe loop/) });
  });
});
