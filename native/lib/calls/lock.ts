/**
 * Open-file-description locks on whole files. They belong to the open file: closing another descriptor of the same file does
 * not release them (as it does POSIX locks), and two opens in one process exclude each other.
 */
export interface LockCalls {
  /**
   * Without waiting: false when somebody else holds the file. Locking again with the other kind converts the lock.
   * EBADF: not open for writing (exclusive) or reading (shared).
   */
  ofdLockSync(fd: number, kind: 'exclusive' | 'shared'): boolean;
  ofdUnlockSync(fd: number): void;
}
