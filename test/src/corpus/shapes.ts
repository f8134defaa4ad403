import { END, rawBody, rawEntry, rawHeader, rawPax } from './raw-tar.js';

/** An archive of a shape that is legal or common but awkward, and what must become of it. */
export interface Shape {
  readonly name: string;
  readonly tar: Buffer;
  /** `exact`: registers and streams back byte for byte. A code: refused at register with it, nothing left. */
  readonly outcome: 'exact' | 'ARCHIVE_TRUNCATED' | 'ARCHIVE_INVALID_HEADER';
}

const join = (...parts: readonly (Buffer | readonly Buffer[])[]): Buffer => Buffer.concat(parts.flat());
const exact = (name: string, ...parts: readonly Buffer[]): Shape => ({
  name,
  tar: join(...parts),
  outcome: 'exact',
});
const refused = (name: string, outcome: Shape['outcome'], ...parts: readonly Buffer[]): Shape => ({
  name,
  tar: join(...parts),
  outcome,
});

const file = (name: string, content = `content of ${name}`): Buffer => rawEntry({ name }, content);
const directory = (name: string): Buffer => rawHeader({ name, type: '5', mode: 0o755 });
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);

/** Truncation and padding: spec/layer-archive.md 3.8. */
export const TRUNCATION_SHAPES: readonly Shape[] = [
  exact('zero bytes'),
  exact('one zero block', zeros(512)),
  refused('a header, a zero block, then 100 bytes', 'ARCHIVE_TRUNCATED', directory('d/'), zeros(612)),
  refused('a zero block, then another', 'ARCHIVE_INVALID_HEADER', zeros(512), file('a')),
  refused('cut inside a payload', 'ARCHIVE_TRUNCATED', file('a', 'x'.repeat(700)).subarray(0, 900)),
  refused('cut inside a header', 'ARCHIVE_TRUNCATED', file('a'), file('b').subarray(0, 300)),
  exact('cut exactly at the end of a payload', file('a', 'x'.repeat(700)).subarray(0, 512 + 700)),
  exact('cut inside the padding of the last payload', file('a', 'x'.repeat(700)).subarray(0, 512 + 800)),
  exact('garbage in the padding', corruptPadding(file('a', 'abc')), END),
  exact('an odd number of bytes after the end', file('a'), END, Buffer.from('tail of seven')),
  exact('whole entries after the end', file('a'), END, file('after-the-end'), END),
  exact('an extended header with nothing after it', file('a'), rawPax([['path', 'never']])),
  exact('a record of 10 KiB of zeros', file('a'), zeros(10_240)),
];

function corruptPadding(entry: Buffer): Buffer {
  const copy = Buffer.from(entry);
  copy.fill(0xa5, copy.length - 100);
  return copy;
}

const SPARSE_DATA = 'd'.repeat(512);
const oldGnuSparse = (): Buffer => {
  const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\u0000`;
  const header = rawHeader({
    name: 'sparse-gnu',
    type: 'S',
    magic: 'gnu',
    size: 512,
    overlay: [
      [386, octal(4096) + octal(512) + octal(8192) + octal(0)],
      [483, octal(8192)],
    ],
  });
  return join(header, rawBody(SPARSE_DATA));
};

/** Layers that Docker takes and can never give back, or refuses without need: spec/layer-archive.md 3.9. */
export const POISON_SHAPES: readonly Shape[] = [
  exact(
    'pax sparse 0.0',
    rawPax([
      ['GNU.sparse.size', '8192'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.offset', '4096'],
      ['GNU.sparse.numbytes', '512'],
    ]),
    rawEntry({ name: 'sparse00' }, SPARSE_DATA),
    END,
  ),
  exact(
    'pax sparse 0.1',
    rawPax([
      ['GNU.sparse.size', '8192'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.map', '4096,512'],
      ['GNU.sparse.name', 'sparse01'],
    ]),
    rawEntry({ name: 'GNUSparseFile.0/sparse01' }, SPARSE_DATA),
    END,
  ),
  exact(
    'pax sparse 1.0',
    rawPax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'sparse10'],
      ['GNU.sparse.realsize', '8192'],
    ]),
    rawEntry({ name: 'GNUSparseFile.0/sparse10' }, join(rawBody('1\n4096\n512\n'), Buffer.from(SPARSE_DATA))),
    END,
  ),
  exact('old GNU sparse', oldGnuSparse(), END),
  exact(
    'a symbolic link with a size',
    rawHeader({ name: 'l', type: '2', linkName: 'a', size: 700 }),
    file('a'),
    END,
  ),
  exact(
    'a directory with a size',
    rawHeader({ name: 'd/', type: '5', mode: 0o755, size: 700 }),
    file('d/a'),
    END,
  ),
  exact(
    'a device with a size',
    rawHeader({ name: 'null', type: '3', major: 1, minor: 3, size: 9 }),
    file('a'),
    END,
  ),
  exact(
    'a hard link with a size',
    file('a'),
    rawHeader({ name: 'b', type: '1', linkName: 'a', size: 700 }),
    file('c'),
    END,
  ),
  exact('a whiteout with a payload', directory('d/'), rawEntry({ name: 'd/.wh.gone' }, 'payload'), END),
  exact(
    'an opaque marker with a payload',
    directory('d/'),
    rawEntry({ name: 'd/.wh..wh..opq' }, 'payload'),
    END,
  ),
  exact(
    'AUFS hard-link sources',
    rawHeader({ name: '.wh..wh.plnk/', type: '5', mode: 0o700 }),
    file('.wh..wh.plnk/1.2'),
    rawHeader({ name: 'one', type: '1', linkName: '.wh..wh.plnk/1.2' }),
    rawHeader({ name: 'two', type: '1', linkName: '/.wh..wh.plnk/1.2' }),
    END,
  ),
  exact('AUFS bookkeeping', rawEntry({ name: '.wh..wh.aufs', mode: 0o444 }, ''), file('a'), END),
  exact('foo and /foo', file('foo', 'first'), file('/foo', 'second'), END),
  exact(
    'a directory with a file, replaced by a link',
    directory('a/'),
    file('a/b'),
    rawHeader({ name: 'a', type: '2', linkName: 'c' }),
    END,
  ),
  exact(
    'a file that a later whiteout names',
    directory('d/'),
    file('d/x'),
    rawEntry({ name: 'd/.wh.x' }, ''),
    END,
  ),
  exact(
    'a file that a later opaque marker covers',
    directory('d/'),
    file('d/x'),
    rawEntry({ name: 'd/.wh..wh..opq' }, ''),
    END,
  ),
  exact('a directory twice', directory('d/'), file('d/x'), directory('d/'), END),
  exact('a directory twice, once without the slash', directory('d/'), directory('./d'), END),
  exact(
    'a link twice',
    rawHeader({ name: 'l', type: '2', linkName: 'a' }),
    rawHeader({ name: 'l', type: '2', linkName: 'b' }),
    END,
  ),
  exact(
    'a global header twice',
    rawPax([['comment', 'one']], 'g'),
    rawPax([['comment', 'two']], 'g'),
    file('a'),
    END,
  ),
  exact('a file twice', file('a', 'first'), file('a', 'second and longer'), END),
  exact(
    'a file three times, once empty',
    file('a', 'first'),
    rawEntry({ name: 'a' }),
    file('./a', 'third'),
    END,
  ),
  exact(
    'two archives, one after the other, without an end between',
    file('a'),
    directory('d/'),
    file('d/b'),
    file('a', 'again'),
    END,
  ),
  exact(
    'a file through a link of the same layer, whose link is then turned',
    directory('real/'),
    rawHeader({ name: 'link', type: '2', linkName: 'real' }),
    file('link/x', 'through the link'),
    rawHeader({ name: 'link', type: '2', linkName: 'elsewhere' }),
    END,
  ),
  exact(
    'one file under two names through a link',
    directory('real/'),
    rawHeader({ name: 'link', type: '2', linkName: 'real' }),
    file('real/x', 'first'),
    file('link/x', 'second'),
    END,
  ),
  exact('names that are not UTF-8', rawEntry({ name: Buffer.from('caf\xe9', 'latin1') }, 'x'), END),
  exact('a name that is a number in pax', rawPax([['path', '12345']]), rawEntry({ name: 'x' }, 'x'), END),
  exact(
    'names of object members',
    file('__proto__'),
    file('constructor'),
    rawPax([['__proto__', 'x']]),
    file('hasOwnProperty'),
    END,
  ),
  exact(
    'a hard link of a file that is then replaced',
    file('a', 'first'),
    rawHeader({ name: 'b', type: '1', linkName: 'a' }),
    file('a', 'second'),
    END,
  ),
  exact('type 7, contiguous', rawEntry({ name: 'contiguous', type: '7' }, 'data'), END),
  exact('the old regular type', rawEntry({ name: 'old', type: '\u0000', magic: 'none' }, 'data'), END),
];
