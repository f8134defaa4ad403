/**
 * Run by tests in a mount namespace of its own, as root: makes /dev/fuse there open to everybody, as udev does on ordinary
 * systems, and runs the rest of the command line as an ordinary user.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '', user = '', ...command] = process.argv.slice(2);
const device = join(directory, 'fuse');
execFileSync('mknod', [device, 'c', '10', '229']);
chmodSync(device, 0o666);
execFileSync('mount', ['--bind', device, '/dev/fuse']);
const args = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...command];
const { status } = spawnSync('setpriv', args, { cwd: '/', stdio: 'inherit' });
process.exitCode = status ?? 1;
