import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { itWith, nativeAddon, rootPrivilege } from '../capability/capability.js';
import { END, rawEntry, rawHeader } from '../corpus/raw-tar.js';
import { runProgram } from '../program/run-program.js';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';

const canMount = rootPrivilege();
const onKernelMounts = itWith(canMount, nativeAddon());
const BIN = path.resolve(import.meta.dirname, '../../../packages/cli/dist/bin.js');
const BASE = Buffer.concat([
  rawHeader({ name: 'etc/', type: '5', mode: 0o755 }),
  rawEntry({ name: 'etc/motd' }, 'welcome\n'),
  rawEntry({ name: 'etc/issue' }, 'base\n'),
  END,
]);
const CHILD = Buffer.concat([
  rawEntry({ name: 'etc/motd' }, 'child\n'),
  rawEntry({ name: 'etc/.wh.issue' }, ''),
  END,
]);

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process per command. */
jest.setTimeout(120_000);

let scratch: ScratchDirectory;
beforeEach(async () => {
  scratch = await scratchDirectory();
  await writeFile(`${scratch.path}/base.tar`, BASE);
  await writeFile(`${scratch.path}/child.tar`, CHILD);
});
afterEach(async () => {
  await scratch[Symbol.asyncDispose]();
});

async function layerStore(args: readonly string[], input?: string): Promise<Finished> {
  const child = spawn(process.execPath, [BIN, '--root', `${scratch.path}/store`, ...args], {
    stdio: 'pipe',
    timeout: 60_000,
  });
  if (input === undefined) child.stdin.end();
  else createReadStream(input).pipe(child.stdin);
  const closed = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await closed, stdout, stderr };
}

async function json(args: readonly string[], input?: string): Promise<readonly Record<string, unknown>[]> {
  const { code, stdout, stderr } = await layerStore(['--json', ...args], input);
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('the layer-store command', () => {
  it('registers a chain, lists and inspects it, and exports every layer byte for byte', async () => {
    const layers = await json(['register', `${scratch.path}/base.tar`, `${scratch.path}/child.tar`]);
    expect(
      layers.map((layer) => [layer.diffId, layer.parent, typeof layer.seconds, typeof layer.size]),
    ).toEqual([
      [sha256(BASE), null, 'number', 'number'],
      [sha256(CHILD), sha256(BASE), 'number', 'number'],
    ]);
    const chain = String(layers[1]?.chainId);
    expect(new Set((await json(['ls'])).map((layer) => layer.chainId))).toEqual(
      new Set(layers.map((layer) => layer.chainId)),
    );
    expect((await json(['inspect', chain]))[0]).toMatchObject({
      chainId: chain,
      diffId: sha256(CHILD),
      parent: sha256(BASE),
      depth: 2,
    });
    const [exported] = await json(['export', chain, '-o', `${scratch.path}/out.tar`]);
    expect(exported).toMatchObject({ chainId: chain, file: `${scratch.path}/out.tar`, size: CHILD.length });
    expect((await readFile(`${scratch.path}/out.tar`)).equals(CHILD)).toBe(true);
  });

  it('reads standard input and writes standard output', async () => {
    const [layer] = await json(['register', '-'], `${scratch.path}/base.tar`);
    const { code, stdout } = await layerStore(['export', String(layer?.chainId)]);
    expect([code, sha256(Buffer.from(stdout, 'latin1'))]).toEqual([0, sha256(BASE)]);
  });

  it.each([
    ['gzip', ['/usr/bin/gzip', '-k']],
    ['xz', ['/usr/bin/xz', '-k']],
    ['bzip2', ['/usr/bin/bzip2', '-k']],
    ['zstd', ['/usr/bin/zstd', '-q']],
  ])('undoes %s: the DiffID is that of the uncompressed bytes', async (_kind, [program = '', ...options]) => {
    const before = new Set(await readdir(scratch.path));
    await runProgram(program, [...options, `${scratch.path}/base.tar`]);
    const compressed = (await readdir(scratch.path)).find((name) => !before.has(name));
    const [layer] = await json(['register', `${scratch.path}/${compressed}`]);
    expect(layer?.diffId).toBe(sha256(BASE));
  });

  onKernelMounts(
    'a mount outlives the command, its layer cannot be removed meanwhile, and other commands leave it alone',
    async () => {
      const [base] = await json(['--driver', 'overlay2', 'register', `${scratch.path}/base.tar`]);
      await json(['rw', 'create', 'work', '--parent', String(base?.chainId)]);
      const [mounted] = await json(['rw', 'mount', 'work']);
      const place = String(mounted?.path);
      expect(await readFile('/proc/self/mountinfo', 'utf8')).toContain(` ${place} `);
      await writeFile(`${place}/new`, 'new\n');
      expect(await json(['rw', 'changes', 'work'])).toEqual([{ kind: 'A', path: '/new' }]);
      expect(await layerStore(['rw', 'rm', 'work'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('MOUNT_ACTIVE'),
      });
      expect(await readFile(`${place}/new`, 'utf8')).toBe('new\n');
      await json(['rw', 'unmount', 'work']);
      expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(scratch.path);
      expect(await layerStore(['rw', 'unmount', 'work'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('MOUNT_NOT_MOUNTED'),
      });
      await json(['rw', 'rm', 'work']);
    },
  );

  it('gives the options of a driver to it, and refuses what it does not know', async () => {
    const options = ['--driver', 'vfs', '--driver-option', 'colour=red'];
    expect(await layerStore([...options, 'status'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OPTION_UNKNOWN'),
    });
  });

  it.each([['vfs'], ...(canMount.missing === undefined ? [['overlay2'], ['overlay']] : [])])(
    'on %s creates, mounts, commits and removes a read-write layer across invocations',
    async (driver) => {
      await json(['--driver', driver, 'status']);
      const [base] = await json(['register', `${scratch.path}/base.tar`]);
      await json(['rw', 'create', 'work', '--parent', String(base?.chainId)]);
      const [mounted] = await json(['rw', 'mount', 'work']);
      await writeFile(`${String(mounted?.path)}/etc/motd`, 'edited by hand\n');
      await writeFile(`${String(mounted?.path)}/new`, 'new\n');
      await json(['rw', 'unmount', 'work']);
      expect(await json(['rw', 'changes', 'work'])).toEqual([
        { kind: 'C', path: '/etc' },
        { kind: 'C', path: '/etc/motd' },
        { kind: 'A', path: '/new' },
      ]);
      const [committed] = await json(['rw', 'commit', 'work']);
      expect(committed).toMatchObject({ parent: base?.chainId });
      const [diff] = await json(['rw', 'export', 'work', '-o', `${scratch.path}/diff.tar`]);
      expect(sha256(await readFile(String(diff?.file)))).toBe(committed?.diffId);
      expect((await json(['rw', 'ls'])).map((rw) => rw.name)).toEqual(['work']);
      await json(['rw', 'rm', 'work']);
      expect(await json(['rw', 'ls'])).toEqual([]);
      expect((await json(['ls'])).length).toBe(2);
    },
  );

  it('rm removes one layer, rm --parents and prune what is then not needed', async () => {
    const [base, child] = await json(['register', `${scratch.path}/base.tar`, `${scratch.path}/child.tar`]);
    const inUse = await layerStore(['rm', String(base?.chainId)]);
    expect([inUse.code, inUse.stderr]).toEqual([1, expect.stringContaining('LAYER_IN_USE')]);
    expect((await json(['rm', String(child?.chainId)])).map((layer) => layer.chainId)).toEqual([
      child?.chainId,
    ]);
    expect((await json(['ls'])).map((layer) => layer.chainId)).toEqual([base?.chainId]);
    await json(['register', '--parent', String(base?.chainId), `${scratch.path}/child.tar`]);
    expect((await json(['prune', '--keep', String(base?.chainId)])).map((layer) => layer.chainId)).toEqual([
      child?.chainId,
    ]);
    await json(['register', '--parent', String(base?.chainId), `${scratch.path}/child.tar`]);
    expect((await json(['rm', '--parents', String(child?.chainId)])).map((layer) => layer.chainId)).toEqual([
      child?.chainId,
      base?.chainId,
    ]);
    expect(await json(['ls'])).toEqual([]);
  });

  it('status names the driver and counts the layers', async () => {
    await json(['--driver', 'vfs', 'register', `${scratch.path}/base.tar`]);
    // The store's layers decide from then on.
    expect((await json(['status']))[0]).toMatchObject({ driver: 'vfs', layers: 1, readWriteLayers: 0 });
  });

  it('prints lines for people without --json', async () => {
    const { code, stdout, stderr } = await layerStore(['register', `${scratch.path}/base.tar`]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64} .*base\.tar\n$/);
  });

  it('fails with 1 and the code of the error, and leaves no output file', async () => {
    const unknown = await layerStore(['export', sha256(BASE), '-o', `${scratch.path}/never.tar`]);
    expect([unknown.code, unknown.stdout]).toEqual([1, '']);
    expect(unknown.stderr).toContain('LAYER_NOT_FOUND');
    await expect(stat(`${scratch.path}/never.tar`)).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(`${scratch.path}/cut.tar`, BASE.subarray(0, 600));
    expect(await layerStore(['register', `${scratch.path}/cut.tar`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ARCHIVE_TRUNCATED'),
    });
    expect(await layerStore(['register', `${scratch.path}/absent.tar`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ENOENT'),
    });
    expect(await json(['ls'])).toEqual([]);
  });

  it('reports errors as JSON with --json', async () => {
    const { code, stderr } = await layerStore(['--json', 'inspect', 'sha256:nonsense']);
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'DIGEST_INVALID' } });
  });

  it('exits with 2 and the usage on a wrong command line, with 0 on --help', async () => {
    expect(await layerStore(['exprot', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage:'),
    });
    expect(await layerStore(['--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('usage:'),
    });
  });
});
