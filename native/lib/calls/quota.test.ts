import { closeSync, mkdirSync, openSync } from 'node:fs';
import { afterEach, expect, it } from '@jest/globals';
import { describeAddon, failureOf, rejectionOf, useDirectory } from '../addon.test-support.js';
import { native } from '../loader.js';

// QCMD(Q_XGETQSTAT, PRJQUOTA), sys/quota.h
const GET_PROJECT_STATE = 0x580502;

/** What limits do is tested where the kernel has quota: quota.kernel.test.ts. */
describeAddon('quota where there is none', (calls) => {
  const opened: number[] = [];
  afterEach(() => {
    for (const fd of opened.splice(0)) closeSync(fd);
  });
  const directory = useDirectory('/dev/shm');

  function openDirectory(): number {
    mkdirSync(directory.at('d'));
    const fd = openSync(directory.at('d'), 'r');
    opened.push(fd);
    return fd;
  }

  it('is refused with the number of the kernel, whichever way it is asked for', async () => {
    const fd = openDirectory();
    const { quotactlFd } = native.available ? native.features : { quotactlFd: false };
    const byDescriptor = failureOf(() => calls.quotactlFdSync(fd, GET_PROJECT_STATE, 0, Buffer.alloc(80)));
    expect(byDescriptor).toMatchObject({ code: 'ENOSYS', syscall: 'quotactl_fd' });
    expect((await rejectionOf(calls.quotactlFd(fd, GET_PROJECT_STATE, 0))).code).toBe('ENOSYS');
    // The descriptor where the kernel takes one, the node where not.
    const state = failureOf(() => calls.quotaStateSync(fd, '/dev/null'));
    expect(state.syscall).toBe(quotactlFd ? 'quotactl_fd' : 'quotactl');
    expect(failureOf(() => calls.projectQuotaSync(fd, undefined, 1)).syscall).toBe('quotactl_fd');
    expect(failureOf(() => calls.setProjectLimitsSync(fd, undefined, 1, { spaceHard: 1 })).syscall).toBe(
      'quotactl_fd',
    );
  });

  it('wants a block device when asked by path', () => {
    const failure = failureOf(() => calls.quotactlSync(GET_PROJECT_STATE, '/dev/null', 0, Buffer.alloc(80)));
    expect(failure).toMatchObject({ syscall: 'quotactl', path: '/dev/null' });
    // ENOSYS: a kernel without quota altogether.
    expect(['ENOTBLK', 'ENOSYS']).toContain(failure.code);
  });

  it('has limits that are numbers', () => {
    const fd = openDirectory();
    for (const limits of [{ spaceHard: -1 }, { inodesSoft: 1.5 }, { spaceSoft: '1G' as never }]) {
      expect(failureOf(() => calls.setProjectLimitsSync(fd, undefined, 1, limits)).code).toBe(
        'ERR_INVALID_ARG_TYPE',
      );
    }
    expect(failureOf(() => calls.fsSetXattrSync(fd, { projectId: 2 ** 32 })).code).toBe(
      'ERR_INVALID_ARG_TYPE',
    );
  });
});
