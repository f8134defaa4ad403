import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { itWith, nativeAddon, rootPrivilege } from '../capability/capability.js';
import { END, rawEntry } from '../corpus/raw-tar.js';
import { runProgram } from '../program/run-program.js';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');
const PACKAGES = path.join(REPOSITORY, 'packages');
const BASE = Buffer.concat([rawEntry({ name: 'motd' }, 'welcome\n'), END]);
/** On a busy machine. Milliseconds. */
const TIMEOUT = 60_000;

let scratch: ScratchDirectory;
beforeEach(async () => {
  scratch = await scratchDirectory();
  await symlink(path.join(REPOSITORY, 'node_modules'), path.join(scratch.path, 'node_modules'));
  await mkdir(path.join(scratch.path, 'layers'), { mode: 0o700 });
  await writeFile(path.join(scratch.path, 'base.tar'), BASE);
  await writeFile(path.join(scratch.path, 'base.tar.gz'), gzipSync(BASE));
});
afterEach(async () => scratch[Symbol.asyncDispose]());

/** The blocks of a README that say they are JavaScript. */
async function blocksOf(readme: string): Promise<readonly string[]> {
  const text = await readFile(readme, 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

/** As pasted into a file, but that layers are kept in `scratch`, and with `more` behind it. */
async function paste(block: string, more = ''): Promise<string> {
  const file = path.join(scratch.path, 'example.mjs');
  await writeFile(file, block.replaceAll('/var/lib/layers', path.join(scratch.path, 'layers')) + more);
  return file;
}

async function run(block: string, more = ''): Promise<string> {
  const { stdout } = await runProgram(process.execPath, [await paste(block, more)], { cwd: scratch.path });
  return stdout;
}

async function firstOf(packageName: string): Promise<string> {
  const [block = ''] = await blocksOf(path.join(PACKAGES, packageName, 'README.md'));
  return block;
}

describe('the examples of the READMEs', () => {
  it(
    'are JavaScript that this Node takes',
    async () => {
      const names = await readdir(PACKAGES);
      const readmes = [...names.map((name) => path.join('packages', name)), 'native', 'test', '.'];
      let blocks = 0;
      for (const directory of readmes) {
        for (const block of await blocksOf(path.join(REPOSITORY, directory, 'README.md'))) {
          execFileSync(process.execPath, ['--check', await paste(block)], { stdio: 'pipe' });
          blocks += 1;
        }
      }
      expect(blocks).toBeGreaterThan(5);
    },
    TIMEOUT,
  );

  it(
    'work when pasted: layer-store',
    async () => {
      await run(await firstOf('layer-store'));
      expect((await stat(path.join(scratch.path, 'layer.tar'))).size).toBeGreaterThan(0);
    },
    TIMEOUT,
  );

  it(
    'work when pasted: driver-vfs',
    async () => {
      await run(await firstOf('driver-vfs'));
      expect(await readdir(path.join(scratch.path, 'layers/vfs/dir'))).toEqual(['base', 'work']);
    },
    TIMEOUT,
  );

  itWith(rootPrivilege(), nativeAddon())(
    'work when pasted: driver-overlay, and nothing stays mounted',
    async () => {
      const said = await run(
        await firstOf('driver-overlay'),
        "console.log('mounted at', path);\nconsole.log((await import('node:fs')).readFileSync('/proc/self/mountinfo', 'latin1'));",
      );
      expect(said).toMatch(/^mounted at \S+\/layers\/overlay2\/[0-9a-f]{64}\/merged$/m);
      expect(said.slice(said.indexOf('\n'))).not.toContain(scratch.path);
    },
    TIMEOUT,
  );

  it.each(['driver-aufs', 'driver-devmapper'])(
    'get as far as the kernel lets them: %s',
    async (name) => {
      const caught = "process.on('uncaughtException', ({ code }) => { console.log('code', code); });\n";
      const said = await run(caught + (await firstOf(name)));
      if (said !== '') expect(said).toMatch(/^code DRIVER_[A-Z_]+\n$/);
    },
    TIMEOUT,
  );
});
