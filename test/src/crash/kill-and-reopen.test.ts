import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { formatChange } from '@x/archive';
import type { LayerStore } from '@x/layer-store';
import {
  FAILPOINTS,
  type Failpoint,
  type FailpointPhase,
  killAt,
  recordFailpoints,
} from '@x/layer-store/testing';
import { type ScratchDirectory, scratchDirectory } from '../scratch/scratch-directory.js';
import { collect, sha256 } from '../store/small-layer.js';
import { StoreUnderTest } from '../store/store-under-test.js';
import {
  BASE_CHAIN,
  CREATED,
  EDITED,
  NEXT_CHAIN,
  OPERATIONS,
  type OperationName,
  openIn,
  prepare,
  TOP_CHAIN,
} from './operations.js';

/*
 * The process is killed before and after every step that changes durable state. The next open must find every operation
 * that had returned, the one under way whole or not at all, and nothing on disk that no record names; a second open must
 * change nothing; and the same operation must then succeed.
 */

const PROCESS = path.join(import.meta.dirname, 'operation-process.js');

interface Scenario {
  readonly operation: OperationName;
  /** Only these steps are of interest; the others are killed at in another scenario. Default all. */
  readonly steps?: RegExp;
  /** From here on the operation has happened. undefined: it changes nothing that can be seen. */
  readonly commit: Failpoint | undefined;
  readonly before: { readonly layers: readonly string[]; readonly mounts: readonly string[] };
  readonly after: { readonly layers: readonly string[]; readonly mounts: readonly string[] };
  /** What there is besides the prepared store. */
  readonly arrange?: (scratch: string) => Promise<void>;
}

const EMPTY = { layers: [], mounts: [] };
const PREPARED = { layers: [BASE_CHAIN, TOP_CHAIN], mounts: [EDITED] };
const WITH_NEXT = { layers: [BASE_CHAIN, TOP_CHAIN, NEXT_CHAIN], mounts: [EDITED] };

async function addNext(scratch: string): Promise<void> {
  await using store = await openIn(scratch);
  await OPERATIONS.register(store);
}

/** The tar-split file of TOP is lost, which takes the read-write layer on it along. */
async function damageTop(scratch: string): Promise<void> {
  let cacheId: string | undefined;
  {
    await using store = await openIn(scratch);
    cacheId = store.map().get(TOP_CHAIN as never)?.cacheId;
  }
  await rm(path.join(scratch, 'store/image/vfs/tar-split', `${cacheId}.json.gz`));
}

async function removeStore(scratch: string): Promise<void> {
  for (const name of ['store', 'vfs']) await rm(path.join(scratch, name), { recursive: true });
}

/** Killed in the middle of a register, so that the open that follows has something to undo. */
async function interruptRegister(scratch: string): Promise<void> {
  const outcome = await killAt(
    { module: PROCESS, arguments: ['register', scratch] },
    'after',
    'register.tar-split-rename',
  );
  expect(outcome.killed).toBe(true);
}

/** Killed in the middle of a deletion, so that the open that follows has something to finish. */
async function interruptRelease(scratch: string): Promise<void> {
  await addNext(scratch);
  const outcome = await killAt(
    { module: PROCESS, arguments: ['release', scratch] },
    'after',
    'release.commit',
  );
  expect(outcome.killed).toBe(true);
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'making a store': {
    operation: 'open',
    commit: undefined,
    arrange: removeStore,
    before: EMPTY,
    after: EMPTY,
  },
  'registering a layer': {
    operation: 'register',
    commit: 'register.commit',
    before: PREPARED,
    after: WITH_NEXT,
  },
  'registering a damaged layer again': {
    operation: 'rebuild',
    commit: 'register.commit',
    arrange: damageTop,
    before: { layers: [BASE_CHAIN], mounts: [] },
    after: PREPARED,
  },
  'registering a layer that is there': {
    operation: 'registerExisting',
    steps: /^undo/,
    commit: undefined,
    before: PREPARED,
    after: PREPARED,
  },
  'registering a stream with the wrong digest': {
    operation: 'registerWrongDigest',
    steps: /^undo/,
    commit: undefined,
    before: PREPARED,
    after: PREPARED,
  },
  'releasing a layer': {
    operation: 'release',
    commit: 'release.commit',
    arrange: addNext,
    before: WITH_NEXT,
    after: PREPARED,
  },
  'creating a read-write layer': {
    operation: 'createRW',
    commit: 'rw-create.commit',
    before: PREPARED,
    after: { layers: PREPARED.layers, mounts: [CREATED, EDITED] },
  },
  'committing a read-write layer': {
    operation: 'commitRW',
    commit: 'register.commit',
    before: PREPARED,
    after: { layers: [...PREPARED.layers, 'the commit'], mounts: [EDITED] },
  },
  'releasing a read-write layer and the layers under it': {
    operation: 'releaseRW',
    commit: 'rw-release.commit',
    before: PREPARED,
    after: { layers: [], mounts: [] },
  },
  'undoing an interrupted register at open': {
    operation: 'open',
    commit: undefined,
    arrange: interruptRegister,
    before: PREPARED,
    after: PREPARED,
  },
  'finishing an interrupted deletion at open': {
    operation: 'open',
    commit: undefined,
    arrange: interruptRelease,
    before: PREPARED,
    after: PREPARED,
  },
};

const reached = new Set<string>();
let prepared: ScratchDirectory;

beforeAll(async () => {
  prepared = await scratchDirectory();
  await prepare(prepared.path);
});
afterAll(async () => {
  await prepared[Symbol.asyncDispose]();
});

async function arranged({ arrange }: Scenario): Promise<ScratchDirectory> {
  const scratch = await scratchDirectory();
  await cp(prepared.path, scratch.path, { recursive: true, preserveTimestamps: true });
  await arrange?.(scratch.path);
  return scratch;
}

/** What can be seen of a store, verified: every layer streams back, every read-write layer shows its edit. */
async function look(store: LayerStore): Promise<{ layers: string[]; mounts: string[] }> {
  const layers: string[] = [];
  for (const [chainId, layer] of store.map()) {
    expect(sha256(await collect(layer.tarStream()))).toBe(layer.diffId);
    layers.push([BASE_CHAIN, TOP_CHAIN, NEXT_CHAIN].includes(chainId) ? chainId : 'the commit');
  }
  for (const { name } of store.mounts()) {
    const rw = await store.getRWLayer(name);
    expect((await rw.changes()).map(formatChange)).toEqual(name === EDITED ? ['A /edit'] : []);
  }
  return {
    layers: layers.toSorted(),
    mounts: store
      .mounts()
      .map(({ name }) => name)
      .toSorted(),
  };
}

function sorted(state: Scenario['before']): { layers: string[]; mounts: string[] } {
  return { layers: state.layers.toSorted(), mounts: state.mounts.toSorted() };
}

async function expectStore(
  under: StoreUnderTest,
  state: Scenario['before'],
  damaged: boolean,
): Promise<void> {
  expect(await look(under.store)).toEqual(sorted(state));
  if (!damaged) await under.expectTidy();
}

async function killAndReopen(
  scenario: Scenario,
  trail: readonly string[],
  name: string,
  phase: FailpointPhase,
): Promise<void> {
  await using scratch = await arranged(scenario);
  const script = { module: PROCESS, arguments: [scenario.operation, scratch.path] };
  const outcome = await killAt(script, phase, name);
  expect(outcome).toMatchObject({ killed: true, returned: [] });
  const { commit } = scenario;
  const happened =
    commit !== undefined &&
    (trail.indexOf(name) > trail.indexOf(commit) || (name === commit && phase === 'after'));
  const state = happened ? scenario.after : scenario.before;
  const damaged = scenario.operation === 'rebuild' && !happened;

  await using under = await StoreUnderTest.openAt(scratch);
  await expectStore(under, state, damaged);
  const onDisk = await under.onDisk();
  const problems = await under.store.diagnose();
  await under.reopen();
  expect(await under.onDisk()).toEqual(onDisk);
  expect(await under.store.diagnose()).toEqual(problems);
  await expectStore(under, state, damaged);

  if (happened && /^(release|createRW)/.test(scenario.operation)) return;
  // Looking left handles behind.
  await OPERATIONS[scenario.operation](await under.reopen());
  await expectStore(under, scenario.after, false);
}

describe.each(Object.entries(SCENARIOS))('killed while %s', (_title, scenario) => {
  it('before and after every step: the operation happened whole or not at all, and can be done again', async () => {
    let trail: readonly string[];
    {
      await using scratch = await arranged(scenario);
      trail = await recordFailpoints({ module: PROCESS, arguments: [scenario.operation, scratch.path] });
      await using under = await StoreUnderTest.openAt(scratch);
      await expectStore(under, scenario.after, false);
    }
    expect(trail.length).toBeGreaterThan(0);
    for (const name of new Set(trail)) {
      if (scenario.steps?.test(name) === false) continue;
      reached.add(name);
      for (const phase of ['before', 'after'] as const) {
        try {
          await killAndReopen(scenario, trail, name, phase);
        } catch (cause) {
          throw new Error(`killed ${phase} ${name}`, { cause });
        }
      }
    }
  }, 180_000);
});

it('every failpoint was reached by a scenario', () => {
  expect([...reached].toSorted()).toEqual([...FAILPOINTS].toSorted());
});
