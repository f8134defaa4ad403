/**
 * Names that edits use, as latin-1 of their bytes: few, so that edits meet each other; and each after the first with something that a
 * path, a mount option, a tar header or a terminal could trip over. None begins with `.wh.`: a layer cannot hold such a name.
 */
export const ENTRY_NAMES: readonly string[] = [
  'a',
  'b',
  'c',
  'lib',
  'a.txt',
  'with space',
  '..gitme',
  '-rf',
  'lower:upper,work\\dir',
  'new\nline',
  Buffer.from('d\u00fc\u732b').toString('latin1'),
  '\xff\xfe not utf-8',
  'wh.wh..wh..opq',
  'l'.repeat(130),
];
