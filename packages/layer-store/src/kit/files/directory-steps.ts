import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '@x/archive';
import { native } from '@x/native';

/** One change below a directory. Paths are relative to it; none has a NUL. */
export type DirectoryStep =
  /** The umask takes its bits off the mode, here and for `file`. */
  | { readonly verb: 'directory'; readonly path: string; readonly mode: number }
  /** EEXIST if it is there. The content has no NUL. */
  | { readonly verb: 'file'; readonly path: string; readonly mode: number; readonly content: string }
  /** A symbolic link. */
  | { readonly verb: 'link'; readonly path: string; readonly target: string }
  | { readonly verb: 'mode'; readonly path: string; readonly mode: number }
  /** -1: as it is. */
  | { readonly verb: 'owner'; readonly path: string; readonly uid: number; readonly gid: number }
  /**
   * Gives `path` the owner, mode, times and extended attributes of `from`, but those whose names begin with one of `skipped`.
   * Without the addon the attributes stay as they are.
   */
  | {
      readonly verb: 'attributes';
      readonly from: string;
      readonly path: string;
      readonly skipped: readonly string[];
    }
  | { readonly verb: 'rename'; readonly path: string; readonly to: string }
  | { readonly verb: Removal; readonly path: string };

type Removal = 'unlink' | 'unlink-if-there' | 'rmdir' | 'rmdir-if-there';

const PERMISSIONS = 0o7777;

/**
 * Changes small things below a directory, in order until one fails; those before it stay done. The addon does all of it in one
 * call, which on a file system in memory takes a quarter of the time that calls of `node:fs` do. Throws what the step's
 * system call gave, with `code`, `syscall` and `path`.
 */
export function runDirectorySteps(directory: string, steps: readonly DirectoryStep[]): void {
  if (native.available) {
    let text = '';
    for (const step of steps) text += encode(step);
    native.calls.directoryStepsSync(directory, text);
  } else {
    for (const step of steps) carryOut(directory, step);
  }
}

function encode(step: DirectoryStep): string {
  switch (step.verb) {
    case 'directory':
    case 'mode':
      return `${step.verb}\0${step.path}\0${step.mode}\0`;
    case 'file':
      return `file\0${step.path}\0${step.mode}\0${step.content}\0`;
    case 'link':
      return `link\0${step.target}\0${step.path}\0`;
    case 'owner':
      return `owner\0${step.path}\0${step.uid}\0${step.gid}\0`;
    case 'attributes':
      return `attributes\0${step.from}\0${step.path}\0${step.skipped.join(',')}\0`;
    case 'rename':
      return `rename\0${step.path}\0${step.to}\0`;
    case 'unlink':
    case 'unlink-if-there':
    case 'rmdir':
    case 'rmdir-if-there':
      return `${step.verb}\0${step.path}\0`;
  }
}

/** What the addon does, without it. */
function carryOut(directory: string, step: DirectoryStep): void {
  const path = join(directory, step.path);
  if (step.verb === 'directory') mkdirSync(path, step.mode);
  else if (step.verb === 'mode') chmodSync(path, step.mode);
  else if (step.verb === 'file') writeFileSync(path, step.content, { mode: step.mode, flag: 'wx' });
  else if (step.verb === 'link') symlinkSync(step.target, path);
  else if (step.verb === 'owner') lchownSync(path, step.uid, step.gid);
  else if (step.verb === 'attributes') copyAttributes(join(directory, step.from), path);
  else if (step.verb === 'rename') renameSync(path, join(directory, step.to));
  else remove(path, step.verb);
}

function remove(path: string, verb: Removal): void {
  try {
    if (verb === 'unlink' || verb === 'unlink-if-there') unlinkSync(path);
    else rmdirSync(path);
  } catch (error) {
    if (!verb.endsWith('-if-there') || errnoOf(error) !== 'ENOENT') throw error;
  }
}

function copyAttributes(from: string, to: string): void {
  const wanted = lstatSync(from);
  const own = lstatSync(to);
  const chowned = wanted.uid !== own.uid || wanted.gid !== own.gid;
  if (chowned) chownSync(to, wanted.uid, wanted.gid);
  // After the owner: changing that clears bits.
  if (chowned || wanted.mode !== own.mode) chmodSync(to, wanted.mode & PERMISSIONS);
  utimesSync(to, wanted.atimeMs / 1000, wanted.mtimeMs / 1000);
}
