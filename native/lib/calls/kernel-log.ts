/** What the kernel has logged. */
export interface KernelLogCalls {
  /**
   * The newest `size` bytes of the log, which stays as it is. Lines begin with `<level>`, and `[seconds]` where the kernel keeps the time. EPERM: needs CAP_SYSLOG where
   * kernel.dmesg_restrict is set.
   */
  syslogReadAllSync(size: number): Buffer;
}
