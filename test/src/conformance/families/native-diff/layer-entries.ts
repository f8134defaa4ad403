import { type TarHeader, TarReader } from '@x/archive';

const WHITEOUT = /(?:^|\/)\.wh\.[^/]*$/;

/**
 * What a layer holds, a line each, sorted: `directory a`, `file a/b`. Without whiteouts, which may name what goes or close the
 * directory it was in; and with links as files, since either name of a file may be the one that brings the content.
 */
export function layerEntries(layer: Uint8Array): readonly string[] {
  const lines: string[] = [];
  const reader = new TarReader({
    raw: () => undefined,
    payload: () => undefined,
    entryEnd: () => undefined,
    header: ({ kind, name }: TarHeader) => {
      const path = Buffer.from(name).toString('latin1').replace(/\/$/, '');
      if (!WHITEOUT.test(path)) lines.push(`${shownKind(kind)} ${path}`);
    },
  });
  reader.write(layer);
  reader.end();
  return lines.sort();
}

function shownKind(kind: TarHeader['kind']): string {
  return kind === 'hardlink' || kind === 'sparse' ? 'file' : kind;
}
