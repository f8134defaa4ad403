/** Extended attributes of a whole tree, carried over by one run of getfattr and one of setfattr. */
import { spawn } from 'node:child_process';
import { errnoOf, LayerStoreError } from '../errors.js';
import { PROGRAM_DIRECTORIES } from '../find-program.js';
import { programEnd } from '../root/program-end.js';
import type { RootDirectory } from '../root/root-directory.js';
import { restoreRecord } from '../root/setfattr-input.js';
import { readTreeAttributes } from '../root/xattr-source.js';
import type { TarXattr } from '../tar/entry.js';
import type { ResolvedCopyOptions } from './copy-options.js';
import { WriteAccess } from './write-access.js';

const SETFATTR_TIMEOUT_MS = 30 * 60 * 1000;
const OPAQUE: ReadonlySet<string> = new Set(['trusted.overlay.opaque', 'user.overlay.opaque']);

/** Every attribute but the overlay file system's own, of which the opaque mark alone may be wanted. */
export function copiesAttribute(name: string, copyOpaque: boolean): boolean {
  if (OPAQUE.has(name)) return copyOpaque;
  return !name.startsWith('trusted.overlay.') && !name.startsWith('user.overlay.');
}

/**
 * Has to run after owners are set, which clears file capabilities. Files shared by hard link have theirs already.
 * @throws ARCHIVE_IO when the programs are missing or refuse and shortfalls are to fail
 */
export async function copyAttributes(
  source: string,
  target: RootDirectory,
  options: ResolvedCopyOptions,
): Promise<void> {
  const wanted = (name: string): boolean => copiesAttribute(name, options.copyOpaque);
  const attributes = await readTreeAttributes(source, wanted, options.signal);
  if (attributes !== undefined && attributes.size === 0) return;
  const problem =
    attributes === undefined
      ? 'getfattr is not installed (Debian package attr)'
      : await restore(target, attributes, options);
  if (problem === undefined) return;
  if (options.shortfalls === 'fail') {
    const { path } = target;
    throw new LayerStoreError('ARCHIVE_IO', `cannot copy extended attributes to "${path}": ${problem}`, {
      path,
      syscall: 'setxattr',
    });
  }
  options.onWarning({ kind: 'xattrs', path: '', message: problem });
}

/** What setfattr complained about, if it did. */
async function restore(
  target: RootDirectory,
  attributes: ReadonlyMap<string, readonly TarXattr[]>,
  options: ResolvedCopyOptions,
): Promise<string | undefined> {
  using _access = new WriteAccess(target, attributes.keys());
  const child = spawn('setfattr', ['-h', '--restore=-'], {
    cwd: target.path,
    env: { PATH: PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: SETFATTR_TIMEOUT_MS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let complaint = '';
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    if (complaint.length < 4096) complaint += text;
  });
  const outcome = programEnd(child);
  // A program that stops early closes its input; what it has to say comes with its end.
  child.stdin.on('error', () => {});
  for (const [path, xattrs] of attributes) {
    if (
      !child.stdin.write(restoreRecord(path === '' ? '.' : `./${path}`, xattrs)) &&
      child.exitCode === null &&
      !child.stdin.destroyed
    ) {
      await Promise.race([outcome, new Promise<void>((resolve) => child.stdin.once('drain', resolve))]);
    }
  }
  child.stdin.end();
  const { code, error } = await outcome;
  options.signal?.throwIfAborted();
  if (code === 0) return undefined;
  return errnoOf(error) === 'ENOENT' ? 'setfattr is not installed (Debian package attr)' : complaint.trim();
}
