import { describe, expect, it } from '@jest/globals';
import { findSystemProgram, runProgram } from './run-program.js';

describe('runProgram', () => {
  it('passes arguments as they are and gives what the program writes', async () => {
    const { stdout, exitCode } = await runProgram('printf', ['%s|', '$HOME', 'a b', "';"]);
    expect(stdout.toString()).toBe("$HOME|a b|';|");
    expect(exitCode).toBe(0);
  });

  it('feeds its input, inherits no environment, and works in /', async () => {
    expect((await runProgram('cat', [], { input: Buffer.from('in') })).stdout.toString()).toBe('in');
    const { stdout } = await runProgram('env', [], { env: { OURS: '1' } });
    const names = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.replace(/=.*/, ''));
    expect(new Set(names)).toEqual(new Set(['LC_ALL', 'OURS', 'PATH']));
    expect((await runProgram('pwd', [])).stdout.toString()).toBe('/\n');
  });

  it('a program that fails says why, unless its exit status is an answer', async () => {
    await expect(runProgram('ls', ['/absent'])).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      message: expect.stringMatching(/^ls \/absent: exit status 2: .*No such file/),
    });
    expect((await runProgram('false', [], { accept: [0, 1] })).exitCode).toBe(1);
  });

  it('a program that is not there is a prerequisite', async () => {
    await expect(runProgram('no-such-program', [])).rejects.toMatchObject({ code: 'DRIVER_PREREQUISITES' });
  });

  it('is killed when its time is up or the signal aborts', async () => {
    await expect(runProgram('sleep', ['60'], { timeout: 10 })).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      message: expect.stringContaining('killed by SIGKILL'),
    });
    const stop = new AbortController();
    const running = runProgram('sleep', ['60'], { signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    await expect(runProgram('true', [], { signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('programs come from the directories of the system, whatever PATH says', async () => {
    expect(await findSystemProgram('cat')).toMatch(/^\/(usr\/)?bin\/cat$/);
    expect(await findSystemProgram('../bin/cat/none')).toBeUndefined();
  });
});
