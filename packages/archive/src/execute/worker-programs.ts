/**
 * Device nodes and extended attributes are out of reach of `node:fs`. Without the addon they go through coreutils'
 * `mknod` and attr's `setfattr`: by absolute path, with argument arrays, an empty environment and a timeout. The object is
 * handed over as descriptor 3, so that no path of the archive is ever looked up by another process.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { restoreRecord } from '../root/setfattr-input.js';
import type { TarXattr } from '../tar/entry.js';
import { within } from './worker-tree.js';

const TIMEOUT_MILLISECONDS = 10_000;
/** After standard input, output and error. */
const FIRST_FD = 3;

/** What programs of the C locale say for the errors we treat specially. */
const ERRNO_TEXTS: readonly (readonly [string, string])[] = [
  ['Operation not permitted', 'EPERM'],
  ['Permission denied', 'EACCES'],
  ['Operation not supported', 'EOPNOTSUPP'],
  ['Invalid argument', 'EINVAL'],
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Argument list too long', 'E2BIG'],
  ['Numerical result out of range', 'ERANGE'],
  ['File exists', 'EEXIST'],
];

/** A call made through a program failed; shaped like a `node:fs` error. `ENOSYS`: there is no such program. */
export interface ProgramFailure {
  readonly code: string;
  readonly syscall: string;
  readonly detail: string;
}

const SETFATTR = locate('setfattr');
const MKNOD = locate('mknod');

function locate(name: string): string | undefined {
  return [`/usr/bin/${name}`, `/bin/${name}`].find((path) => existsSync(path));
}

function run(
  syscall: string,
  program: string | undefined,
  args: readonly string[],
  fds: readonly number[],
  input?: Buffer,
): ProgramFailure | undefined {
  if (program === undefined) return { code: 'ENOSYS', syscall, detail: `no program for ${syscall}` };
  const { status, error, stderr } = spawnSync(program, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe', ...fds],
    ...(input === undefined ? {} : { input }),
    env: { LC_ALL: 'C' },
    timeout: TIMEOUT_MILLISECONDS,
    encoding: 'latin1',
  });
  if (error === undefined && status === 0) return undefined;
  const text = error === undefined ? stderr : error.message;
  const known = ERRNO_TEXTS.find(([message]) => text.includes(message));
  return { code: known?.[1] ?? 'EIO', syscall, detail: text.trim() };
}

/** Sets an xattr of the object behind `fd` (which may be open with O_PATH). */
export function setXattr(fd: number, { name, value }: TarXattr): ProgramFailure | undefined {
  const bytes = Buffer.from(name);
  // Arguments of a program are text to Node; a name that is not UTF-8 would arrive as another name.
  if (!bytes.equals(Buffer.from(bytes.toString('utf8')))) {
    return { code: 'ENOSYS', syscall: 'setxattr', detail: 'attribute name is not UTF-8' };
  }
  const encoded = `0s${Buffer.from(value).toString('base64')}`;
  return run(
    'setxattr',
    SETFATTR,
    ['-n', bytes.toString('utf8'), '-v', encoded, '--', '/proc/self/fd/3'],
    [fd],
  );
}

/** Sets the xattrs of many objects by one run of the program; on failure it is open which are set. */
export function setXattrs(
  objects: readonly { readonly fd: number; readonly xattrs: readonly TarXattr[] }[],
): ProgramFailure | undefined {
  const records = objects.map(({ xattrs }, index) =>
    restoreRecord(`/proc/self/fd/${FIRST_FD + index}`, xattrs),
  );
  const fds = objects.map(({ fd }) => fd);
  return run('setxattr', SETFATTR, ['--restore=-'], fds, Buffer.concat(records));
}

/** Makes a device or FIFO with mode 0600. `kind`: as in mknod(1). */
export function makeNode(
  directory: { readonly fd: number },
  name: string,
  kind: 'b' | 'c' | 'p',
  major: number,
  minor: number,
): ProgramFailure | undefined {
  // Made under a name of our own and renamed: a name that is not UTF-8 cannot be an argument.
  const temporary = `.node-${randomBytes(12).toString('hex')}`;
  const numbers = kind === 'p' ? [] : [`${major}`, `${minor}`];
  const failure = run(
    'mknod',
    MKNOD,
    ['-m', '0600', '--', `/proc/self/fd/3/${temporary}`, kind, ...numbers],
    [directory.fd],
  );
  if (failure === undefined) renameSync(within(directory, temporary), within(directory, name));
  return failure;
}
