// Writes the README's table of drivers: what each claims, and how it did in the conformance suite. It takes what the command prints
// (`layer-store-conformance DRIVER --table`), nothing by hand. Run as root; the rows of an ordinary user come from one without a name.
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../test/dist/conformance/command/bin.js', import.meta.url));
const BEGIN = '<!-- drivers -->';
const END = '<!-- /drivers -->';
const NOBODY = 65534;
const { FUSE_OVERLAYFS_FAULTS } = await import(
  '../test/dist/conformance/fuse-overlayfs-faults.test-support.js'
);
const DRIVERS = [
  ['@x/driver-vfs', 'vfs', 'root'],
  ['@x/driver-overlay', 'overlay2', 'root'],
  ['@x/driver-overlay', 'overlay', 'root'],
  ['@x/driver-aufs/testing', 'aufs', 'root'],
  ['@x/driver-vfs', 'vfs', 'user'],
  ['@x/driver-overlay', 'fuse-overlayfs', 'user'],
];

function rows([module, name, as]) {
  const home = mkdtempSync(`${existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir()}/capability-table-`);
  if (as === 'user') chownSync(home, NOBODY, NOBODY);
  try {
    const kinds = name === 'fuse-overlayfs' ? FUSE_OVERLAYFS_FAULTS : [];
    const without = kinds.flatMap((kind) => ['--without', kind]);
    const args = [COMMAND, module, '--name', name, '--home', home, '--table', ...without];
    const user = as === 'user' ? { uid: NOBODY, gid: NOBODY } : {};
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', ...user });
    if (status === 2 || stdout === '') throw new Error(`${name} as ${as}: ${stderr}`);
    console.error(stdout.trimEnd().split('\n').at(-1));
    return stdout.trimEnd().split('\n');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

if (process.getuid() !== 0) throw new Error('run this as root: it makes the rows of root and of a user');
const tables = DRIVERS.map(rows);
const [head, rule] = tables[0];
const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
const note = `Linux ${kernel}, Node ${process.versions.node}; written by \`node scripts/capability-table.mjs\`. aufs: on the model of its kernel.
The random edits on fuse-overlayfs leave out what version 1.10 of that program gets wrong: ${FUSE_OVERLAYFS_FAULTS.join(', ')}.`;
const table = [BEGIN, head, rule, ...tables.map((lines) => lines.at(-1)), '', note, END].join('\n');
const readme = readFileSync('README.md', 'utf8');
if (!readme.includes(BEGIN) || !readme.includes(END)) throw new Error(`README.md has no ${BEGIN} … ${END}`);
const start = readme.indexOf(BEGIN);
writeFileSync('README.md', readme.slice(0, start) + table + readme.slice(readme.indexOf(END) + END.length));
