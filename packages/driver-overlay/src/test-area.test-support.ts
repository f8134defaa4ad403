import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const NOBODY = 65_534;
export const IS_ROOT: boolean = process.getuid?.() === 0;

/** A temporary directory with file systems mounted in it; all of it goes when it is disposed of. */
export class TestArea implements Disposable {
  readonly path: string;
  readonly #mounts: string[] = [];

  constructor(parent: string = tmpdir()) {
    this.path = mkdtempSync(join(parent, 'overlay-test-'));
    // For tests that go on as another user.
    chmodSync(this.path, 0o755);
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  directory(name: string, owner?: number): string {
    const path = this.at(name);
    mkdirSync(path, { recursive: true });
    if (owner !== undefined) chownSync(path, owner, owner);
    return path;
  }

  mount(type: string, name: string, options: string, source: string = type): string {
    const path = this.directory(name);
    execFileSync('mount', ['-t', type, '-o', options, source, path], { stdio: 'pipe' });
    this.#mounts.push(path);
    return path;
  }

  /** A file system of its own in a file; `make` is the program that makes it, with its arguments. */
  image(name: string, type: string, mebibytes: number, make: readonly string[], options = 'loop'): string {
    const file = this.at(`${name}.img`);
    writeFileSync(file, '');
    truncateSync(file, mebibytes * 1024 * 1024);
    const [program = '', ...args] = make;
    execFileSync(program, [...args, file], { stdio: 'pipe' });
    return this.mount(type, name, options, file);
  }

  [Symbol.dispose](): void {
    for (const path of this.#mounts.toReversed()) execFileSync('umount', ['-R', '-l', path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
