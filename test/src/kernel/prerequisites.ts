import { findProgram } from '../program/find-program.js';
import { runProgram } from '../program/run-program.js';

/** What the harness and the tests in the guest use: a program of each Debian package. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'linux.uml': 'user-mode-linux',
  modprobe: 'kmod',
  dmsetup: 'dmsetup',
  lvm: 'lvm2',
  thin_check: 'thin-provisioning-tools',
  'mkfs.xfs': 'xfsprogs',
  'mkfs.ext4': 'e2fsprogs',
  gcc: 'gcc',
};

function missingPackages(): string[] {
  return Object.entries(PROGRAMS)
    .filter(([program]) => findProgram(program) === undefined)
    .map(([, name]) => name);
}

/**
 * Installs what is missing, as root on Debian. Gives the reason why the guest cannot run here, or undefined when it can.
 */
export async function ensurePrerequisites(say: (text: string) => void): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `User-Mode Linux runs on x86-64 Linux, this is ${process.arch} ${process.platform}`;
  const missing = missingPackages();
  if (missing.length === 0) return undefined;
  const advice = `apt-get install ${missing.join(' ')}`;
  const installer = findProgram('apt-get');
  if (process.getuid?.() !== 0 || installer === undefined) return `not installed; as root: ${advice}`;
  say(`installing ${missing.join(', ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...missing];
  try {
    // The lists of a new machine are empty.
    await runProgram(installer, ['update', '-qq'], { env });
    await runProgram(installer, install, { env });
  } catch (error) {
    return `${advice} failed: ${String((error as { message?: unknown }).message)}`;
  }
  const still = missingPackages();
  return still.length === 0 ? undefined : `still missing after ${advice}: ${still.join(', ')}`;
}
