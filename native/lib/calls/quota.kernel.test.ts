import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeAddon, runUnprivileged, useDirectory } from '../addon.test-support.js';
import { FS_QUOTA_PDQ_ACCT, FS_QUOTA_PDQ_ENFD, FS_XFLAG_PROJINHERIT, MNT_DETACH } from '../constants.js';
import { attachLoop, sparseFile } from '../loop-devices.test-support.js';

const MIB = 1 << 20;
const GET_PROJECT_STATE = 0x580502;
const PROJECT = 4711;

const EDQUOT = 122;
const ENOSPC = 28;

/**
 * Writes as nobody, since ext4 lets CAP_SYS_RESOURCE pass every limit. Gives the error's number, 0 for none: node has no name for
 * EDQUOT (its code is UNKNOWN).
 */
function writeUnprivileged(path: string, size: number): unknown {
  return runUnprivileged(`
    try {
      process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(path)}, Buffer.alloc(${size}), { flush: true });
      return 0;
    } catch (error) {
      return -error.errno;
    }`);
}

/** File systems whose project quota differs in how it is switched on. */
const FILE_SYSTEMS = [
  { name: 'xfs', size: 320 * MIB, program: '/sbin/mkfs.xfs', args: ['-q', '-K'], options: 'pquota' },
  {
    name: 'ext4',
    size: 64 * MIB,
    program: '/sbin/mkfs.ext4',
    args: ['-q', '-O', 'quota,project', '-E', 'quotatype=prjquota'],
    options: 'prjquota',
  },
] as const;

describeAddon('project quota', (calls) => {
  const directory = useDirectory(process.env.LAYER_STORE_SCRATCH);

  describe.each(FILE_SYSTEMS)('of $name', ({ name, size, program, args, options }) => {
    let root: string;
    let device: string;
    let opened: number[];
    const open = (path: string): number => {
      const fd = openSync(path, 'r');
      opened.push(fd);
      return fd;
    };

    beforeEach(() => {
      opened = [];
      const image = sparseFile(directory.at('image'), size);
      execFileSync(program, [...args, image]);
      const loop = attachLoop(image);
      device = loop.path;
      // On the way to the files of nobody.
      chmodSync(directory.at(''), 0o711);
      root = directory.at('root');
      mkdirSync(root);
      calls.mountSync(device, root, name, 0, options);
      // The mount holds the device from here on.
      closeSync(loop.fd);
    });
    afterEach(() => {
      for (const fd of opened) closeSync(fd);
      calls.umount2Sync(root, MNT_DETACH);
    });

    /** A directory whose files all belong to the project. */
    function projectDirectory(): string {
      const path = `${root}/project`;
      mkdirSync(path);
      chmodSync(path, 0o777);
      const fd = open(path);
      const before = calls.fsGetXattrSync(fd);
      expect(before.projectId).toBe(0);
      calls.fsSetXattrSync(fd, {
        ...before,
        projectId: PROJECT,
        xflags: before.xflags | FS_XFLAG_PROJINHERIT,
      });
      expect(calls.fsGetXattrSync(fd)).toMatchObject({ projectId: PROJECT });
      return path;
    }

    it('is told to be on', () => {
      const both = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;
      expect(calls.quotaStateSync(open(root)) & both).toBe(both);
      // By the node too, and in the raw form: qs_flags after qs_version.
      expect(calls.quotactlSync(GET_PROJECT_STATE, device, 0, Buffer.alloc(80)).readUInt16LE(2) & both).toBe(
        both,
      );
    });

    it('stops who writes beyond the limit, counts what is used, and lets go when the limit goes', () => {
      const path = projectDirectory();
      const fd = open(root);
      calls.setProjectLimitsSync(fd, device, PROJECT, { spaceHard: 2 * MIB + 1, inodesHard: 4 });
      const limits = calls.projectQuotaSync(fd, device, PROJECT);
      expect(limits?.inodesHard).toBe(4);
      // In whole 512 bytes, or the file system's own blocks.
      expect(limits?.spaceHard).toBeGreaterThan(2 * MIB);
      expect(limits?.spaceHard).toBeLessThanOrEqual(2 * MIB + 4096);
      writeFileSync(`${path}/fits`, Buffer.alloc(MIB), { flush: true });
      const { space, inodes } = calls.projectQuotaSync(fd, device, PROJECT) ?? {};
      expect(space).toBeGreaterThanOrEqual(MIB);
      expect(inodes).toBe(2);
      expect([EDQUOT, ENOSPC]).toContain(writeUnprivileged(`${path}/does not`, 2 * MIB));
      unlinkSync(`${path}/does not`);

      calls.setProjectLimitsSync(fd, device, PROJECT, { spaceHard: 0, inodesHard: 0 });
      expect(writeUnprivileged(`${path}/does not`, 2 * MIB)).toBe(0);
    });

    it('leaves limits alone that are not named', () => {
      const fd = open(root);
      calls.setProjectLimitsSync(fd, device, PROJECT, { spaceHard: MIB, spaceSoft: MIB / 2, inodesSoft: 3 });
      calls.setProjectLimitsSync(fd, device, PROJECT, { inodesSoft: 5 });
      expect(calls.projectQuotaSync(fd, device, PROJECT)).toMatchObject({
        spaceHard: MIB,
        spaceSoft: MIB / 2,
        inodesHard: 0,
        inodesSoft: 5,
      });
    });

    it('knows nothing of a project that has neither files nor limits', () => {
      const unknown = calls.projectQuotaSync(open(root), device, 99);
      // ext4 answers with zeros.
      if (unknown !== undefined) expect(new Set(Object.values(unknown))).toEqual(new Set([0]));
    });
  });
});
