import { describe, expect, it } from '@jest/globals';
import { programError } from './worker-metadata.js';

describe('a helper program of the portable executor that failed', () => {
  it('is NATIVE_UNAVAILABLE when it is not installed, and says what to do', () => {
    const error = programError(
      { code: 'ENOSYS', syscall: 'mknodat', detail: 'mknod is not installed' },
      'dev/null',
    );
    expect(error).toMatchObject({ code: 'NATIVE_UNAVAILABLE', path: 'dev/null', syscall: 'mknodat' });
    expect(error.message).toContain('build the native addon');
  });

  it('is ARCHIVE_IO with its errno when it was refused', () => {
    const error = programError(
      { code: 'EPERM', syscall: 'mknodat', detail: 'Operation not permitted' },
      'dev/null',
    );
    expect(error).toMatchObject({ code: 'ARCHIVE_IO', errno: 'EPERM', path: 'dev/null' });
  });
});
