/**
 * Run by as-user.test.ts as an ordinary user, in a directory of its own, with the layer on standard input: unpacks it with
 * owner records, copies the tree, edits the copy, and prints as JSON what archives and comparisons make of it.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { formatChange } from '../changes/change.js';
import { changesBetween } from '../changes/changes-between.js';
import { copyTree } from '../copy/copy-tree.js';
import { listArchive } from '../create/archive-listing.test.support.js';
import { createArchive } from '../create/create-archive.js';
import { exportChanges } from '../create/export-changes.js';
import { applyLayer } from '../extract/apply-layer.js';

const portable = process.argv[2] === 'portable';
const recorded = { portable, recordedOwners: true };
const warnings: string[] = [];

/** `0:42 640 etc/shadow`, and the names of attributes. */
async function headers(archive: AsyncIterable<Uint8Array>): Promise<string[]> {
  return (await listArchive(archive)).map(({ name, header }) => {
    const xattrs = header.xattrs.map((xattr) => ` ${Buffer.from(xattr.name).toString()}`);
    return `${header.uid}:${header.gid} ${header.mode.toString(8)} ${name}${xattrs.join('')}`;
  });
}

const mode = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

mkdirSync('tree');
const { warnings: refused } = await applyLayer(process.stdin, 'tree', {
  portable,
  recordOwners: true,
  ownership: 'report',
  xattrs: 'report',
  devices: 'report',
});
await copyTree('tree', 'copy', {
  portable,
  shortfalls: 'report',
  onWarning: ({ kind, path, message }) => warnings.push(`${kind} ${path} ${message}`),
});
const onDisk = Object.fromEntries(
  ['etc', 'etc/closed', 'etc/app', 'etc/shadow', 'bin/su'].map((path) => [path, mode(`copy/${path}`)]),
);
const whole = await headers(createArchive('copy', recorded));
const plain = await headers(createArchive('copy', { portable }));
const untouched = (await changesBetween('copy', 'tree', recorded)).map(formatChange);

appendFileSync('copy/etc/app', ' edited');
appendFileSync('copy/bin/su', ' edited');
chmodSync('copy/etc/shadow', 0o600);
chmodSync('copy/etc/closed', 0o711);
writeFileSync('copy/etc/new', 'new', { mode: 0o644 });
execFileSync('setfattr', ['-n', 'user.layerstore.owner', '-v', 'rubbish', 'copy/var/spoilt']);
const changes = await changesBetween('copy', 'tree', recorded);
const layer = await headers(
  exportChanges('copy', changes, {
    ...recorded,
    onWarning: ({ kind, path }) => warnings.push(`${kind} ${path}`),
  }),
);

chmodSync('copy/etc/app', 0);
const locked = (await changesBetween('copy', 'tree', recorded)).map(formatChange);

process.stdout.write(
  JSON.stringify({
    uid: process.getuid?.(),
    refused: refused.filter(({ syscall }) => syscall !== 'chown' && syscall !== 'fchownat'),
    warnings,
    onDisk,
    whole,
    plain,
    untouched,
    changes: changes.map(formatChange),
    layer,
    locked,
  }),
);
