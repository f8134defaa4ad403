const MS_RDONLY = 1;
const MS_REC = 16384;

interface Flag {
  readonly bit: number;
  readonly set: boolean;
}

const on = (bit: number): Flag => ({ bit, set: true });
const off = (bit: number): Flag => ({ bit, set: false });

/** Words of a mount option list that are flags of mount(2); bits from linux/mount.h. */
const FLAGS: Readonly<Record<string, Flag>> = {
  defaults: on(0),
  ro: on(MS_RDONLY),
  rw: off(MS_RDONLY),
  suid: off(2),
  nosuid: on(2),
  dev: off(4),
  nodev: on(4),
  exec: off(8),
  noexec: on(8),
  sync: on(16),
  async: off(16),
  remount: on(32),
  mand: on(64),
  nomand: off(64),
  dirsync: on(128),
  atime: off(1024),
  noatime: on(1024),
  diratime: off(2048),
  nodiratime: on(2048),
  bind: on(4096),
  rbind: on(4096 | MS_REC),
  relatime: on(1 << 21),
  norelatime: off(1 << 21),
  strictatime: on(1 << 24),
  nostrictatime: off(1 << 24),
};

/** Words that change how mounts propagate: a mount(2) call of its own. */
const PROPAGATION: Readonly<Record<string, number>> = {
  unbindable: 1 << 17,
  runbindable: (1 << 17) | MS_REC,
  private: 1 << 18,
  rprivate: (1 << 18) | MS_REC,
  slave: 1 << 19,
  rslave: (1 << 19) | MS_REC,
  shared: 1 << 20,
  rshared: (1 << 20) | MS_REC,
};

/** A mount option list, taken apart for mount(2). */
export interface ParsedMountOptions {
  /** MS_* without propagation. */
  readonly flags: number;
  /** MS_SHARED… with MS_REC, 0 for none. */
  readonly propagation: number;
  /** What the file system itself has to understand, comma separated. */
  readonly data: string;
}

/** Sorts the words of a comma separated list into flags, propagation and data (spec/drivers.md 1.14). A later word wins. */
export function parseMountOptions(options: string): ParsedMountOptions {
  let flags = 0;
  let propagation = 0;
  const data: string[] = [];
  for (const word of splitOptions(options)) {
    const flag = Object.hasOwn(FLAGS, word) ? FLAGS[word] : undefined;
    const kind = Object.hasOwn(PROPAGATION, word) ? PROPAGATION[word] : undefined;
    if (flag !== undefined) flags = flag.set ? flags | flag.bit : flags & ~flag.bit;
    else if (kind !== undefined) propagation |= kind;
    else data.push(word);
  }
  return { flags, propagation, data: data.join(',') };
}

/** A comma within double quotes separates nothing: SELinux contexts have them. */
function splitOptions(options: string): string[] {
  return (options.match(/(?:"[^"]*"|[^",])+/g) ?? []).filter((word) => word !== '');
}
