import { mkdir, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Where corpora are kept between runs: LAYER_STORE_CORPUS, or a per-user directory under the system's temp directory. */
export function corpusDirectory(): string {
  return (
    process.env.LAYER_STORE_CORPUS ?? path.join(os.tmpdir(), `layer-store-corpus-${process.getuid?.() ?? 0}`)
  );
}

/**
 * The path of a corpus file, made by `make` the first time. `make` writes to the path that it is given, which takes the final
 * name only when it is complete; `scratch` is an empty directory that is removed afterwards.
 */
export async function corpusFile(
  name: string,
  make: (target: string, scratch: string) => Promise<void>,
): Promise<string> {
  const directory = corpusDirectory();
  const file = path.join(directory, name);
  const found = await stat(file).catch(() => undefined);
  if (found !== undefined) return file;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const scratch = path.join(directory, `${name}.scratch-${process.pid}`);
  const target = path.join(directory, `${name}.part-${process.pid}`);
  try {
    await mkdir(scratch);
    await make(target, scratch);
    await rename(target, file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await rm(target, { force: true });
  }
  return file;
}
