import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WORK_DIRECTORY } from '../machine.test-support.js';

const COMMAND = fileURLToPath(new URL('./bin.js', import.meta.url));
const VFS = pathToFileURL(createRequire(import.meta.url).resolve('@x/driver-vfs')).href;
const TIME = 120_000;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(WORK_DIRECTORY, 'command-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command in a process of its own, in a directory with the modules that the tests write. */
function run(...args: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...args], { cwd: directory, timeout: TIME });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}

/** A driver module; `exports` may use `vfsDriver`, and `forgetful`, which forgets what was put into a layer. */
async function moduleWith(name: string, exports: string): Promise<void> {
  const forgetful = `class Forgetful extends VfsDriver {
    async _put(id) { const { rm } = await import('node:fs/promises'); await rm(this.home + '/dir/' + id + '/a file', { force: true }); }
  }
  const forgetful = { ...vfsDriver, create: ({ home }) => new Forgetful({ home }) };`;
  const text = `import { vfsDriver, VfsDriver } from '${VFS}';\n${forgetful}\n${exports}\n`;
  await writeFile(path.join(directory, name), text);
}

describe('layer-store-conformance', () => {
  it(
    'says of a good driver that it conforms, and exits with 0',
    async () => {
      await moduleWith('good.mjs', 'export const driver = vfsDriver;');
      const { code, stdout, stderr } = await run('./good.mjs', '--grep', 'CreateSnap', '--home', directory);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^ok {3}graphtest: a child has its parent's content/);
      expect(stdout).toMatch(/vfs conforms: 1 passed, 0 failed, 0 not applicable\n$/);
      expect(code).toBe(0);
      expect(await readdir(directory)).toEqual(['good.mjs']);
    },
    TIME,
  );

  it(
    'says of a bad driver what failed, in which call, with the trees, and exits with 1',
    async () => {
      await moduleWith('bad.mjs', 'export { forgetful as driver };');
      const { code, stdout } = await run('./bad.mjs', '--grep', 'CreateBase', '--home', directory);
      expect(stdout).toMatch(/^FAIL graphtest: a layer keeps modes/);
      expect(stdout).toMatch(/file a file: cannot be looked up: ENOENT/);
      expect(stdout).toMatch(/in withMount\("Base", function\)/);
      expect(stdout).toMatch(/home before the call:[\s\S]*\/dir\/Base\/a subdir directory/);
      expect(stdout).toMatch(/vfs does not conform: 0 passed, 1 failed/);
      expect(code).toBe(1);
      expect(await readdir(directory)).toEqual(['bad.mjs']);
    },
    TIME,
  );

  it(
    'with --json gives one object a line, failures with everything that is known of them',
    async () => {
      await moduleWith('bad.mjs', 'export { forgetful as driver };');
      const { code, stdout } = await run('./bad.mjs', '--json', '--grep', 'Create', '--home', directory);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const summary = lines.pop();
      expect(lines.length).toBeGreaterThan(2);
      expect(lines.every(({ type }) => type === 'check')).toBe(true);
      const failed = lines.filter(({ outcome }) => outcome === 'fail');
      expect(failed[0]).toMatchObject({
        family: 'graphtest',
        failure: {
          call: expect.any(String),
          recentCalls: expect.any(Array),
          home: { before: { entries: expect.any(Array) } },
        },
      });
      expect(summary).toMatchObject({ type: 'summary', driver: 'vfs', ok: false, failed: failed.length });
      expect(code).toBe(1);
    },
    TIME,
  );

  it(
    'with --table gives a Markdown row of what the driver claims and how it did',
    async () => {
      await moduleWith('good.mjs', 'export const driver = vfsDriver;');
      const { code, stdout } = await run('./good.mjs', '--table', '--grep', 'SetQuota', '--home', directory);
      const [head = '', rule = '', row = ''] = stdout.split('\n');
      expect(head).toMatch(/^\| driver \| as \| checks \| native diff \|/);
      expect(rule.split('|')).toHaveLength(head.split('|').length);
      expect(row).toMatch(/^\| `vfs` \| \w+ \| 0 pass, 1 not applicable \| no \| no \|/);
      expect(row.split('|')).toHaveLength(head.split('|').length);
      expect(code).toBe(1);
    },
    TIME,
  );

  it('--list prints every check once, by family', async () => {
    const { code, stdout } = await run('--list');
    const lines = stdout.trimEnd().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length).toBeGreaterThan(100);
    expect(lines).toContain('graphtest: lists the layers it has and nothing else (ListLayers)');
    expect(code).toBe(0);
  });

  it('--help is the usage', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^layer-store-conformance DRIVER/),
    });
  });
});

describe('the driver of a module', () => {
  const grep = ['--grep', 'the driver is called what its factory is called'];
  it.each<[string, string, string[]]>([
    [
      'is the export called driver',
      'export const other = { ...vfsDriver, name: "o" }; export const driver = vfsDriver;',
      [],
    ],
    [
      'called driver goes before the default export',
      'export const driver = vfsDriver; export default { ...vfsDriver, name: "o" };',
      [],
    ],
    [
      'is the default export',
      'export const other = { ...vfsDriver, name: "o" }; export default vfsDriver;',
      [],
    ],
    [
      'is the only factory',
      'export const whatever = vfsDriver; export const alias = vfsDriver; export const n = 1;',
      [],
    ],
    [
      'is picked by its name',
      'export const a = { ...vfsDriver, name: "o" }; export const b = vfsDriver;',
      ['--name', 'vfs'],
    ],
  ])('%s', async (_what, exports, args) => {
    await moduleWith('module.mjs', exports);
    expect(await run('./module.mjs', ...args, ...grep, '--home', directory)).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  it.each<[string, string, string[], RegExp]>([
    ['none', 'export const n = 1;', [], /exports no DriverFactory/],
    [
      'several',
      'export const a = { ...vfsDriver, name: "o" }; export const b = vfsDriver;',
      [],
      /pick one of o, vfs with --name/,
    ],
    [
      'another name',
      'export const driver = vfsDriver;',
      ['--name', 'zfs'],
      /no driver named zfs; it has vfs/,
    ],
    ['a syntax error', 'export const =', [], /cannot be loaded/],
  ])('with %s is wrong usage', async (_what, exports, args, message) => {
    await moduleWith('module.mjs', exports);
    const { code, stderr } = await run('./module.mjs', ...args, '--home', directory);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('that is not there is wrong usage, and so are options that do not exist', async () => {
    expect(await run('./nothing.mjs')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/cannot be loaded/),
    });
    expect(await run('no-such-package')).toMatchObject({ code: 2 });
    await moduleWith('good.mjs', 'export const driver = vfsDriver;');
    expect(await run('./good.mjs', '--option', 'no.such=1')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/OPTION_UNKNOWN/),
    });
    expect(await run('./good.mjs', '--skip', 'grahptest')).toMatchObject({ code: 2 });
  });
});
