import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProgram } from '../program/run-program.js';
import { corpusFile } from './corpus-directory.js';

/** A layer on the Debian tree: a file changed, one added, a file and a directory deleted, a directory made opaque. */
export function changedDebianTar(): Promise<string> {
  return corpusFile('debian-changes.tar', async (target, scratch) => {
    const tree = `${scratch}/tree`;
    const put = async (name: string, content: string, mode = 0o644): Promise<void> => {
      const file = path.join(tree, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
      await chmod(file, mode);
    };
    await put('etc/hostname', 'changed\n');
    await put('etc/motd.new', 'added\n', 0o4755);
    await put('etc/.wh.debian_version', '', 0);
    await put('usr/share/doc/.wh.bash', '', 0);
    await put('usr/share/bug/.wh..wh..opq', '', 0);
    await put('usr/share/bug/only-this-is-left', 'x'.repeat(100_000));
    await symlink('../etc/motd.new', path.join(tree, 'usr/motd'));
    await runProgram('/usr/bin/tar', ['--numeric-owner', '-C', tree, '-cf', target, '.']);
  });
}
