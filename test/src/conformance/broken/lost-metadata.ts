import type { BigIntStats } from 'node:fs';
import { chmod, copyFile, lchown, rename, unlink } from 'node:fs/promises';
import { VfsDriver } from '@x/driver-vfs';
import type { CreateOptions, DriverFactory, DriverId } from '@x/layer-store';
import { loadNative } from '@x/native';
import { kernel } from '../kernel.js';
import { type BrokenDriver, factoryOf, layerDirectory } from './broken-driver.js';
import { eachEntry } from './each-entry.js';

const RANDOM = 'random-tree: random edits through mounts';
const NS_PER_SECOND = 1_000_000_000n;
const S_IFMT = 0o170000n;

type Spoil = (path: Buffer, stat: BigIntStats) => Promise<void>;

/** A vfs whose copies of parents are spoiled, entry by entry. */
function copyingWith(spoil: Spoil): DriverFactory {
  return factoryOf(
    class extends VfsDriver {
      protected override async _create(
        id: DriverId,
        parent: DriverId | undefined,
        options: CreateOptions,
        signal: AbortSignal | undefined,
      ): Promise<void> {
        await super._create(id, parent, options, signal);
        if (parent !== undefined) await eachEntry(layerDirectory(this, id), spoil);
      }
    },
  );
}

const forgetsSpecialBits: Spoil = async (path, stat) => {
  if (!stat.isSymbolicLink()) await chmod(path, Number(stat.mode & 0o777n));
};

const forgetsOwners: Spoil = (path) => lchown(path, 0, 0);

const forgetsXattrs: Spoil = async (path, stat) => {
  const native = loadNative();
  if (!native.available || stat.isSymbolicLink()) return;
  for (const name of await native.calls.llistxattr(path)) await native.calls.lremovexattr(path, name);
};

const cutsTimes: Spoil = (path, stat) =>
  kernel().setModificationTime(path, stat.mtimeNs - (stat.mtimeNs % NS_PER_SECOND));

const separatesLinks: Spoil = async (path, stat) => {
  if (!stat.isFile() || stat.nlink === 1n) return;
  const copy = Buffer.concat([path, Buffer.from('~')]);
  await copyFile(path, copy);
  await chmod(copy, Number(stat.mode & 0o7777n));
  await lchown(copy, Number(stat.uid), Number(stat.gid));
  await kernel().setModificationTime(copy, stat.mtimeNs);
  await rename(copy, path);
};

const mistakesDevices: Spoil = async (path, stat) => {
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) return;
  await unlink(path);
  await kernel().mknod(path, Number(stat.mode & S_IFMT) | 0o600, 1, 5);
  await lchown(path, Number(stat.uid), Number(stat.gid));
  await chmod(path, Number(stat.mode & 0o7777n));
  await kernel().setModificationTime(path, stat.mtimeNs);
};

/** Copies of layers that are not what they were copied from. */
export const LOST_METADATA: readonly BrokenDriver[] = [
  {
    breaks: 'forgets setuid and sticky bits when it copies a layer',
    factory: copyingWith(forgetsSpecialBits),
    check: "graphtest: a child has its parent's content",
    reason: /expected mode 01705, found 0705/,
  },
  {
    breaks: 'gives everything to root when it copies a layer',
    factory: copyingWith(forgetsOwners),
    check: "graphtest: a child has its parent's content",
    reason: /expected owner 1:2, found 0:0/,
    needs: ['root'],
  },
  {
    breaks: 'forgets xattrs when it copies a layer',
    factory: copyingWith(forgetsXattrs),
    check: RANDOM,
    reason: /layer edited-\d+-\d+ after its edits.*\n- .*(user\.|security\.).*=0x/,
    needs: ['native'],
  },
  {
    breaks: 'cuts modification times to seconds when it copies a layer',
    factory: copyingWith(cutsTimes),
    check: RANDOM,
    reason: /after its edits.*\n- .* mtime (?<second>-?\d+)\d{9}\b.*\n\+ .* mtime \k<second>0{9}\b/,
    needs: ['native'],
  },
  {
    breaks: 'makes hard links files of their own when it copies a layer',
    factory: copyingWith(separatesLinks),
    check: RANDOM,
    reason: /after its edits.*\n- .* same as /,
    needs: ['native'],
  },
  {
    breaks: 'mistakes the numbers of device nodes when it copies a layer',
    factory: copyingWith(mistakesDevices),
    check: RANDOM,
    reason: /after its edits.*\n- .* device \d+:\d+.*\n\+ .* device 1:5/,
    needs: ['root', 'native'],
  },
];
