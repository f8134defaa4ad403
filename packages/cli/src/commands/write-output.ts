import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ConsoleIo } from '../console-io.js';
import type { Report } from '../report.js';

/**
 * Sends a tar stream to a file, or to standard output. A file takes its name only when it is complete: a digest that does not
 * hold at the end must not leave something that looks like a layer.
 */
export async function writeOutput(
  stream: AsyncIterable<Uint8Array>,
  file: string | undefined,
  subject: Readonly<Record<string, string>>,
  report: Report,
  io: ConsoleIo,
): Promise<void> {
  if (file === undefined) {
    await pipeline(stream, io.stdout, { signal: io.signal, end: false });
    return;
  }
  const part = `${file}.part-${process.pid}`;
  const started = process.hrtime.bigint();
  const target = createWriteStream(part, { flags: 'wx' });
  try {
    await pipeline(stream, target, { signal: io.signal });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  await report.record({ ...subject, file, size: target.bytesWritten, seconds }, '');
}
