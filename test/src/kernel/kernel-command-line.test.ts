import { describe, expect, it } from '@jest/globals';
import { kernelCommandLine } from './kernel-command-line.js';

const machine = {
  jobDirectory: '/tmp/job-x',
  memoryMiB: 512,
  disks: ['/tmp/job-x/a.img', '/tmp/job-x/b.img'],
};

describe('the kernel’s command line', () => {
  it('has the host’s root read-only, the disks in order, and the job as init’s environment', () => {
    const line = kernelCommandLine(machine);
    expect(line).toEqual(
      expect.arrayContaining(['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro']),
    );
    expect(line).not.toContain('rw');
    expect(line).toEqual(expect.arrayContaining(['ubd0=/tmp/job-x/a.img', 'ubd1=/tmp/job-x/b.img']));
    expect(line).toEqual(expect.arrayContaining(['init=/tmp/job-x/init', 'JOB=/tmp/job-x', 'mem=512M']));
  });

  it('keeps what User-Mode Linux itself writes in the job directory', () => {
    expect(kernelCommandLine(machine)).toContain('uml_dir=/tmp/job-x/');
  });

  it.each(['/tmp/a b', '/tmp/a,b', 'relative', '/tmp/"x"', '/dev/shm/x'])(
    'takes no path that the guest would not find: %s',
    (path) => {
      expect(() => kernelCommandLine({ ...machine, jobDirectory: path })).toThrow(/TMPDIR/);
      expect(() => kernelCommandLine({ ...machine, disks: [path] })).toThrow(/TMPDIR/);
    },
  );
});
