/** Parser for what `getfattr -h -d -m - -e hex` prints: blocks of `# file: PATH` and `NAME=0xHEX` lines. */
import type { TarXattr } from '../tar/entry.js';

const FILE_PREFIX = '# file: ';

/**
 * Feed it lines as latin-1 text (getfattr writes names as they are, with newline, backslash and `=` as `\ooo`).
 * Collects what `keep` accepts, by latin-1 path as printed.
 */
export class GetfattrParser {
  readonly attributes: Map<string, TarXattr[]> = new Map();
  readonly #keep: (name: string) => boolean;
  #rest = '';
  #path = '';

  constructor(keep: (name: string) => boolean) {
    this.#keep = keep;
  }

  write(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #line(line: string): void {
    if (line.startsWith(FILE_PREFIX)) {
      this.#path = unescapeOctal(line.slice(FILE_PREFIX.length));
      return;
    }
    if (line === '') return;
    const equals = line.indexOf('=');
    const name = unescapeOctal(equals === -1 ? line : line.slice(0, equals));
    if (!this.#keep(name)) return;
    const hex = equals === -1 ? '' : line.slice(equals + 1).replace(/^0x/, '');
    const list = this.attributes.get(this.#path) ?? [];
    list.push({ name: Buffer.from(name, 'latin1'), value: Buffer.from(hex, 'hex') });
    this.attributes.set(this.#path, list);
  }
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
