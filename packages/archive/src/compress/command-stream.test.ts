import { describe, expect, it } from '@jest/globals';
import { isLayerStoreError } from '../errors.js';
import { type CommandStreamOptions, commandStream } from './command-stream.js';
import {
  childProcesses,
  drain,
  inChunks,
  mixedBytes,
  openDescriptors,
  StallingSource,
} from './streams.test.support.js';

const SH = '/bin/sh';

function run(script: string, options: Partial<CommandStreamOptions> = {}): AsyncGenerator<Uint8Array> {
  return commandStream({ program: SH, args: ['-c', script], ...options });
}

describe('commandStream', () => {
  it('does not deadlock on a megabyte of standard error (CmdStreamLargeStderr)', async () => {
    const { bytes, error } = await drain(
      run('dd if=/dev/zero bs=1k count=1000 of=/dev/stderr 2>/dev/null; echo hello'),
    );
    expect(error).toBeUndefined();
    expect(bytes.toString()).toBe('hello\n');
  }, 5_000);

  it('delivers the output before an error with exit status and standard error (CmdStreamBad)', async () => {
    const { bytes, error } = await drain(
      run("echo hello; echo >&2 error couldn\\'t reverse the phase pulser; exit 1"),
    );
    expect(bytes.toString()).toBe('hello\n');
    expect(isLayerStoreError(error, 'COMPRESSION_FAILED')).toBe(true);
    expect(error).toMatchObject({
      message: expect.stringContaining("exit status 1: error couldn't reverse the phase pulser"),
    });
  });

  it('ends without error when the program succeeds (CmdStreamGood)', async () => {
    expect(await drain(run('echo hello; exit 0'))).toEqual({
      bytes: Buffer.from('hello\n'),
      error: undefined,
    });
  });

  it('carries input through and keeps at most a bounded piece of standard error', async () => {
    const input = mixedBytes(3_000_000, 7);
    const { bytes } = await drain(run('cat', { input: inChunks(input, 70_001) }));
    expect(bytes.equals(input)).toBe(true);
    const { error } = await drain(run('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 3'));
    expect((error as Error).message.length).toBeLessThan(5_000);
  });

  it('runs in / with an environment of its own', async () => {
    process.env.LAYER_STORE_SECRET = 'leak';
    const { bytes } = await drain(run('pwd; echo "$LAYER_STORE_SECRET|$HOME|$LC_ALL"'));
    delete process.env.LAYER_STORE_SECRET;
    expect(bytes.toString()).toBe('/\n||C\n');
  });

  it('tells which signal ended the program, and that one could not be started', async () => {
    expect((await drain(run('kill -9 $$'))).error).toMatchObject({
      message: expect.stringContaining('killed by SIGKILL'),
    });
    const { error } = await drain(commandStream({ program: '/nonexistent/xz' }));
    expect(error).toMatchObject({ code: 'COMPRESSION_FAILED', errno: 'ENOENT', path: '/nonexistent/xz' });
  });

  it('passes the error of its input on as it is', async () => {
    const broken = new Error('connection reset');
    async function* input(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc');
      throw broken;
    }
    expect((await drain(run('cat', { input: input() }))).error).toBe(broken);
  });

  it('does not need its input to end when the program does', async () => {
    const input = new StallingSource(Buffer.from('abc'));
    expect(await drain(run('echo done', { input }))).toMatchObject({ error: undefined });
    expect(input.closed).toBe(true);
  });

  it('kills and reaps the program when the loop is left, aborted, too slow or stalled', async () => {
    const before = childProcesses();
    const descriptors = openDescriptors();
    for await (const chunk of run('exec yes')) {
      expect(childProcesses().length).toBe(before.length + 1);
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    expect(childProcesses()).toEqual(before);

    // One that a closed pipe would not end.
    for await (const chunk of run('echo x; exec sleep 1000')) {
      expect(chunk.byteLength).toBe(2);
      break;
    }
    expect(childProcesses()).toEqual(before);

    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = drain(
      run('exec sleep 1000', { signal: controller.signal, input: new StallingSource(Buffer.from('x')) }),
    );
    controller.abort(reason);
    expect((await aborted).error).toBe(reason);
    expect((await drain(run('exec yes', { timeout: 50 }))).error).toMatchObject({
      message: expect.stringContaining('ran for 50 ms'),
    });
    expect((await drain(run('exec sleep 1000', { stallTimeout: 50 }))).error).toMatchObject({
      code: 'COMPRESSION_FAILED',
      message: expect.stringContaining('made no progress for 50 ms'),
    });
    expect(childProcesses()).toEqual(before);
    expect(openDescriptors()).toBe(descriptors);
  });

  it('does not call a slow source or a slow consumer a stall', async () => {
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 120));
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      await wait();
      yield Buffer.from('b');
    }
    let text = '';
    for await (const chunk of run('exec cat', { input: slow(), stallTimeout: 60 })) {
      text += Buffer.from(chunk).toString();
      await wait();
    }
    expect(text).toBe('ab');
  });

  it.each([
    [{ program: 'xz' }, 'OPTION_INVALID'],
    [{ program: '/bin/cat', stallTimeout: 0 }, 'OPTION_INVALID'],
    [{ program: '/bin/cat', shell: true }, 'OPTION_UNKNOWN'],
  ])('refuses %j', async (options, code) => {
    expect((await drain(commandStream(options as CommandStreamOptions))).error).toMatchObject({ code });
  });
});
