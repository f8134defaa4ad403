import { runProgram } from '../program/run-program.js';
import { corpusFile } from './corpus-directory.js';

/**
 * A Debian tree as a layer: debootstrap from the machine's own mirror, archived by GNU tar with its xattrs (`ping` carries a
 * file capability). Needs root and the Debian package `debootstrap`.
 */
export function debianTar(): Promise<string> {
  return corpusFile('debian.tar', async (target, scratch) => {
    const tree = `${scratch}/tree`;
    await runProgram('/usr/sbin/debootstrap', [
      '--variant=minbase',
      '--include=iputils-ping,libcap2-bin,curl,perl,python3-minimal',
      'bookworm',
      tree,
    ]);
    await runProgram('/usr/bin/tar', [
      '--xattrs',
      '--numeric-owner',
      '--exclude=./proc/*',
      '--exclude=./sys/*',
      '-C',
      tree,
      '-cf',
      target,
      '.',
    ]);
  });
}
