import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { archive } from '../extract/archive.test-support.js';
import { EXECUTORS } from '../extract/sandbox.test-support.js';
import { IS_ROOT } from '../root/temporary-tree.test.support.js';

const SCRIPT = fileURLToPath(new URL('./as-user-run.test-support.js', import.meta.url));
const NOBODY = 65_534;
const user = IS_ROOT
  ? { uid: NOBODY, gid: NOBODY }
  : { uid: process.getuid?.() ?? NOBODY, gid: process.getgid?.() ?? NOBODY };

const LAYER = archive(
  { name: 'bin/', type: '5' },
  { name: 'bin/su', content: 'su', mode: 0o4755 },
  { name: 'etc/', type: '5', mode: 0o555 },
  { name: 'etc/app', content: 'app', uid: 1000, gid: 1000, mode: 0o600 },
  { name: 'etc/closed/', type: '5', uid: 33, gid: 33, mode: 0 },
  { name: 'etc/closed/key', content: 'key', uid: 33, gid: 33, mode: 0o400 },
  { name: 'etc/shadow', content: 'shadow', uid: 0, gid: 42, mode: 0 },
  { name: 'etc/shadow-', type: '1', link: 'etc/shadow' },
  { name: 'var/', type: '5' },
  { name: 'var/odd', content: 'odd', uid: 8, gid: 8, mode: 0o444, pax: { 'SCHILY.xattr.user.kept': 'yes' } },
  { name: 'var/spoilt', content: 'record', uid: 8, gid: 8 },
  { name: 'var/link', type: '2', link: 'odd', uid: 33, gid: 33 },
);

interface Result {
  readonly uid: number;
  readonly refused: readonly unknown[];
  readonly warnings: readonly string[];
  readonly onDisk: Readonly<Record<string, string>>;
  readonly whole: readonly string[];
  readonly plain: readonly string[];
  readonly untouched: readonly string[];
  readonly changes: readonly string[];
  readonly layer: readonly string[];
  readonly locked: readonly string[];
}

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'owner-record-'));
  chmodSync(base, 0o755);
  mkdirSync(join(base, 'work'));
  if (IS_ROOT) chownSync(join(base, 'work'), user.uid, user.gid);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe.each(EXECUTORS)('owners without privilege, %s', (executor) => {
  const run = (): Result => {
    const output = execFileSync(process.execPath, [SCRIPT, executor], {
      input: LAYER,
      cwd: join(base, 'work'),
      env: { PATH: '/usr/bin:/bin' },
      ...(IS_ROOT ? user : {}),
    });
    return JSON.parse(output.toString()) as Result;
  };

  it('are recorded, copied, compared and archived as the headers had them', () => {
    const result = run();
    const own = `${user.uid}:${user.gid}`;
    expect(result.uid).toBe(user.uid);
    expect(result.refused).toEqual([]);
    expect(result.warnings).toEqual(['owner-record-invalid var/spoilt']);
    expect(result.onDisk).toEqual({
      etc: '755',
      'etc/closed': '700',
      'etc/app': '600',
      'etc/shadow': '400',
      'bin/su': '4755',
    });
    expect(result.whole).toEqual([
      '0:0 755 bin/',
      '0:0 4755 bin/su',
      '0:0 555 etc/',
      '1000:1000 600 etc/app',
      '33:33 0 etc/closed/',
      '33:33 400 etc/closed/key',
      '0:42 0 etc/shadow',
      '0:42 0 etc/shadow-',
      '0:0 755 var/',
      `${own} 777 var/link`,
      '8:8 444 var/odd user.kept',
      '8:8 644 var/spoilt',
    ]);
    expect(result.plain).toContain(`${own} 400 etc/shadow`);
    expect(result.plain.join()).not.toContain('layerstore');
    expect(result.untouched).toEqual([]);
  });

  it('stay with files that are edited; a later chmod, and what a write does to set-id bits, count', () => {
    const { changes, layer, locked } = run();
    expect(changes).toEqual([
      'C /bin',
      'C /bin/su',
      'C /etc',
      'C /etc/app',
      'C /etc/closed',
      'A /etc/new',
      'C /etc/shadow',
      'C /etc/shadow-',
      'C /var',
      'C /var/spoilt',
    ]);
    // A file made unreadable takes its record with it; it is a change all the same.
    expect(locked).toEqual(changes);
    expect(layer).toEqual([
      '0:0 755 bin/',
      '0:0 755 bin/su',
      '0:0 555 etc/',
      '1000:1000 600 etc/app',
      '33:33 711 etc/closed/',
      `${user.uid}:${user.gid} 644 etc/new`,
      '0:42 600 etc/shadow',
      '0:42 600 etc/shadow-',
      '0:0 755 var/',
      `${user.uid}:${user.gid} 644 var/spoilt`,
    ]);
  });
});
