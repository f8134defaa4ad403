/** An archive as a list that a test can compare. */
import { readArchive } from '../interop/read-archive.js';
import { collect } from '../root/temporary-tree.test.support.js';
import type { TarHeader } from '../tar/entry.js';

export interface ListedEntry {
  readonly header: TarHeader;
  readonly name: string;
  readonly linkName: string;
  readonly content: Buffer;
}

export async function listArchive(source: AsyncIterable<Uint8Array>): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  for await (const { header, body } of readArchive(source)) {
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    entries.push({
      header,
      name: text(header.name),
      linkName: text(header.linkName),
      content: await collect(copied(body)),
    });
  }
  return entries;
}

async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) yield Buffer.from(chunk);
}

export async function namesOf(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  return (await listArchive(source)).map(({ name }) => name);
}
