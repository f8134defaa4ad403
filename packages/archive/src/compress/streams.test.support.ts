/** Streams for the tests of this directory: compressed by real programs, and sources that misbehave. Not exported. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { ByteSource } from '../byte-source.js';

/** Compresses with a program of the machine the tests run on. */
export function compressWith(program: string, args: readonly string[], bytes: Uint8Array): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input: bytes, maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.toString()}`);
  return stdout;
}

/** A source of the bytes in chunks of `size`. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** Everything a source gives, and what it failed with. */
export async function drain(source: ByteSource): Promise<{ bytes: Buffer; error: unknown }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of source) chunks.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
  return { bytes: Buffer.concat(chunks), error: undefined };
}

/** Reproducible bytes that compress neither well nor badly. */
export function mixedBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = (index & 64) === 0 ? state >>> 24 : index >>> 8;
  }
  return bytes;
}

/** A source that gives one chunk and then nothing, for ever; tells when it is closed. */
export class StallingSource implements AsyncIterable<Uint8Array> {
  closed = false;
  readonly #head: Uint8Array;

  constructor(head: Uint8Array) {
    this.#head = head;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    let given = false;
    return {
      next: () => {
        if (given) return new Promise(() => undefined);
        given = true;
        return Promise.resolve({ done: false, value: this.#head });
      },
      return: () => {
        this.closed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** Process ids of living children of this process that are not zombies waiting to be reaped by libuv. */
export function childProcesses(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(process.pid);
    } catch {
      return false;
    }
  });
}

/** Number of open descriptors of this process. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
