/** What a guest is booted with. */
export interface GuestMachine {
  /** Has no spaces, for the kernel splits its command line at them, and is not in /dev, which is the guest's own. */
  readonly jobDirectory: string;
  readonly memoryMiB: number;
  /** Image files of `/dev/ubda`, `/dev/ubdb`, … */
  readonly disks: readonly string[];
}

/**
 * The command line of User-Mode Linux (DESIGN.md 7): the host's root as a read-only root, so that no test can write to the host;
 * the console on descriptors 0 and 1; a kernel that finds a bug in itself panics, which ends the guest, rather than go on.
 */
export function kernelCommandLine(machine: GuestMachine): string[] {
  const { jobDirectory, disks } = machine;
  const odd = [jobDirectory, ...disks].find((path) => !/^\/(?!dev\/)[\w./-]+$/.test(path));
  if (odd !== undefined)
    throw new Error(
      `the guest's files must be at a path of letters, digits and ./-_, and not in /dev, of which the guest has its own: '${odd}' (set TMPDIR)`,
    );
  return [
    `mem=${machine.memoryMiB}M`,
    ...['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro'],
    ...['quiet', 'selinux=0', 'oops=panic'],
    ...['con=null', 'con0=fd:0,fd:1', 'ssl=null'],
    ...disks.map((image, index) => `ubd${index}=${image}`),
    `uml_dir=${jobDirectory}/`,
    `init=${jobDirectory}/init`,
    `JOB=${jobDirectory}`,
  ];
}
