import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mountsBelow, readMountInfo } from '@x/layer-store/driver-kit';
import { killAt, recordFailpoints } from '@x/layer-store/testing';
import { describeMounts } from '../describe-mounts.test-support.js';
import { OverlayDriver } from '../overlay-driver.js';
import { TestArea } from '../test-area.test-support.js';
import { CRASH_OPERATIONS } from './crash-operations.test-support.js';
import { MULTI_LOWER_FAILPOINTS } from './failpoints.js';

/*
 * The process is killed before and after every step that changes what is in the home. The next open must find every layer
 * whose creation had returned, the one under way whole or not at all, and nothing that no layer owns; another open must
 * change nothing; and the same operation must then succeed (spec/drivers.md 1.18).
 */

const MODULE = fileURLToPath(new URL('./crash-run.test-support.js', import.meta.url));
/** A scenario starts two processes a step and side. Milliseconds. */
const RUNS_TIMEOUT = 120_000;
const LAYERS = ['base', 'middle', 'top'];

const mounting = describeMounts();

let area: TestArea;
let home: string;

beforeEach(async () => {
  area = new TestArea('/dev/shm');
  home = area.at('overlay2');
  await using driver = await open();
  for (const [index, id] of LAYERS.entries()) {
    await driver.create(id, LAYERS[index - 1]);
    await driver.withMount(id, async (root) => writeFileSync(join(root, id), id));
  }
});

afterEach(async () => {
  for (const { mountPoint } of mountsBelow(await readMountInfo(), area.path)) {
    execFileSync('umount', ['-l', mountPoint]);
  }
  area[Symbol.dispose]();
});

async function open(): Promise<OverlayDriver> {
  const driver = new OverlayDriver({ home });
  await driver.open();
  return driver;
}

/** Everything in the home but times and the contents of layers' work directories. */
function listing(directory: string = home): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const stat = lstatSync(path);
    const relative = path.slice(home.length);
    if (stat.isSymbolicLink()) return [`${relative} -> ${readlinkSync(path)}`];
    if (stat.isFile()) return [`${relative} ${readFileSync(path, 'latin1')}`];
    return name === 'work' ? [relative] : [relative, ...listing(path)];
  });
}

/** Every layer can be used, every link belongs to a layer and every layer has one, and nothing else is there. */
async function verify(): Promise<string[]> {
  await using driver = await open();
  const ids = await driver.list();
  for (const id of ids) {
    const below = id === 'child' ? 'middle' : id;
    const expected = LAYERS.slice(0, LAYERS.indexOf(below) + 1);
    expect(await driver.withMount(id, async (root) => readdirSync(root).sort())).toEqual(
      expect.arrayContaining(expected),
    );
  }
  expect(readdirSync(home).sort()).toEqual(['l', ...ids].sort());
  expect(readdirSync(join(home, 'l')).sort()).toEqual(
    ids.map((id) => readFileSync(join(home, id, 'link'), 'utf8')).sort(),
  );
  return ids;
}

interface Scenario {
  readonly operation: string;
  /** Makes a home in which there is something to do. */
  readonly arrange?: () => void;
  /** Of the layers with the operation undone, and done. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** From here on it has happened. */
  readonly commit?: (typeof MULTI_LOWER_FAILPOINTS.names)[number];
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'making an image on an image': {
    operation: 'create',
    before: LAYERS,
    after: ['base', 'child', 'middle', 'top'],
    commit: 'multi-lower.create.publish',
  },
  'making a container on an image that had no child': {
    operation: 'create-read-write',
    before: LAYERS,
    after: ['base', 'child', 'middle', 'top'],
    commit: 'multi-lower.create.publish',
  },
  'removing a layer': {
    operation: 'remove',
    before: LAYERS,
    after: ['base', 'middle'],
    commit: 'multi-lower.remove.unpublish',
  },
  'sweeping what another kill left': {
    operation: 'open',
    arrange: () => {
      // A creation that had marked its parent, a removal, and a link that had no layer yet.
      cpSync(join(home, 'top'), join(home, '.tmp-unborn'), { recursive: true });
      writeFileSync(join(home, '.tmp-unborn/lower-ids'), 'top\nmiddle\nbase\n');
      writeFileSync(join(home, 'top/committed'), '');
      mkdirSync(join(home, '.trash-gone/diff'), { recursive: true });
      writeFileSync(join(home, '.trash-gone/link'), 'G'.repeat(26));
      symlinkSync('../gone/diff', join(home, 'l', 'G'.repeat(26)));
      symlinkSync('../unborn/diff', join(home, 'l', 'U'.repeat(26)));
    },
    before: LAYERS,
    after: LAYERS,
  },
  'making links and ids of lowers again': {
    operation: 'open',
    arrange: () => {
      for (const name of readdirSync(join(home, 'l'))) unlinkSync(join(home, 'l', name));
      unlinkSync(join(home, 'base/link'));
      unlinkSync(join(home, 'middle/lower-ids'));
    },
    before: LAYERS,
    after: LAYERS,
  },
  'making lists of lowers again': {
    operation: 'open',
    arrange: () => {
      for (const name of readdirSync(join(home, 'l'))) unlinkSync(join(home, 'l', name));
      writeFileSync(join(home, 'middle/lower'), '');
      unlinkSync(join(home, 'top/lower'));
    },
    before: LAYERS,
    after: LAYERS,
  },
};

const reachedSomewhere = new Set<string>();

mounting.each(Object.keys(SCENARIOS))('a kill while %s', (title) => {
  const scenario = SCENARIOS[title] as Scenario;
  const script = (): { module: string; arguments: string[] } => ({
    module: MODULE,
    arguments: [home, scenario.operation],
  });

  it(
    'leaves what the next open makes good, at every step',
    async () => {
      scenario.arrange?.();
      const prepared = area.at('prepared');
      cpSync(home, prepared, { recursive: true, verbatimSymlinks: true });
      const reached = [...new Set(await recordFailpoints(script()))];
      expect(reached.length).toBeGreaterThan(0);
      for (const name of reached) reachedSomewhere.add(name);
      const commit = scenario.commit === undefined ? -1 : reached.indexOf(scenario.commit);

      for (const [index, name] of reached.entries()) {
        for (const phase of ['before', 'after'] as const) {
          rmSync(home, { recursive: true });
          cpSync(prepared, home, { recursive: true, verbatimSymlinks: true });
          const outcome = await killAt(script(), phase, name);
          expect({ phase, name, killed: outcome.killed }).toEqual({ phase, name, killed: true });

          const done = index > commit || (index === commit && phase === 'after');
          const expected = done ? scenario.after : scenario.before;
          expect({ phase, name, layers: await verify() }).toEqual({ phase, name, layers: expected });
          const first = listing();
          expect(await verify()).toEqual(expected);
          expect(listing()).toEqual(first);
          if (!done) expect(existsSync(join(home, 'top/committed'))).toBe(false);

          await using driver = await open();
          await CRASH_OPERATIONS[done ? 'open' : scenario.operation]?.(driver);
          await driver.close();
          expect(await verify()).toEqual(scenario.after);
        }
      }
    },
    RUNS_TIMEOUT,
  );
});

mounting('the crash tests', () => {
  it('kill at every step there is', () => {
    expect([...reachedSomewhere].sort()).toEqual([...MULTI_LOWER_FAILPOINTS.names].sort());
  });
});

mounting('a process that is killed with layers mounted', () => {
  const mountPoints = async (): Promise<string[]> =>
    mountsBelow(await readMountInfo(), home)
      .map(({ mountPoint }) => mountPoint)
      .sort();

  beforeEach(async () => {
    const { signal } = spawnSync(process.execPath, [MODULE, home, 'mount']);
    expect(signal).toBe('SIGKILL');
    expect(await mountPoints()).toEqual([join(home, 'middle/merged'), join(home, 'top/merged')]);
  });

  it('leaves them to the next, whose close leaves nothing', async () => {
    const driver = await open();
    expect([driver.isAdopted('top'), driver.isAdopted('middle'), driver.isAdopted('base')]).toEqual([
      true,
      true,
      false,
    ]);
    await driver.close();
    expect(await mountPoints()).toEqual([]);
    expect(readdirSync(join(home, 'top'))).not.toContain('merged');
  });

  it('leaves them to be used and given up', async () => {
    await using driver = await open();
    const view = await driver.get('top');
    writeFileSync(join(view, 'more'), 'x');
    await driver.put('top');
    expect(await mountPoints()).toHaveLength(2);
    await driver.put('top');
    await driver.put('middle');
    expect(await mountPoints()).toEqual([]);
    expect(await driver.withMount('top', async (root) => readdirSync(root))).toContain('more');
  });

  it('leaves nothing in the way of a removal', async () => {
    await using driver = await open();
    await driver.remove('top');
    expect(await mountPoints()).toEqual([join(home, 'middle/merged')]);
    expect(await driver.list()).toEqual(['base', 'middle']);
  });

  it('leaves nothing in the way of a child, which unmounts what nobody uses', async () => {
    await using driver = await open();
    await driver.createReadWrite('child', 'top');
    expect(await mountPoints()).toEqual([join(home, 'middle/merged')]);
    expect(await driver.withMount('child', async (root) => readdirSync(root))).toContain('top');
  });
});
