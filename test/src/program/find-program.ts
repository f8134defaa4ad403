import { accessSync, constants } from 'node:fs';

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The absolute path of a program in the system's own directories, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const directory of DIRECTORIES) {
    try {
      accessSync(`${directory}/${name}`, constants.X_OK);
      return `${directory}/${name}`;
    } catch {
      // look in the next one
    }
  }
  return undefined;
}
