/** Run by mount-program.test.ts: mounts, says so, and ends while the mount is there. */
import { MountProgram } from './mount-program.js';

const [directory = ''] = process.argv.slice(2);
const options = 'lowerdir=lower,upperdir=upper,workdir=work';
await new MountProgram('fuse-overlayfs').mount({ options, target: `${directory}/merged`, cwd: directory });
process.stdout.write('mounted\n');
