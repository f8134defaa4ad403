import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DevmapperFailpoint } from '../failpoints.js';
import { DEVMAPPER_FAILPOINTS, step } from '../failpoints.js';
import type { DevmapperOptions } from '../options/options.js';
import type { DeviceSet } from './device-set.js';
import type { DeviceSetHost } from './host.js';
import { type KillPoint, SimulatedMachine, SMALL } from './simulated-machine.test-support.js';

const MIB = 1 << 20;

/** Something that is killed at every point it passes. */
interface Scenario {
  readonly title: string;
  readonly options?: DevmapperOptions;
  /** With a process of its own that ends well. */
  prepare?(machine: SimulatedMachine, set: DeviceSet): Promise<void>;
  /** Something done to the machine while no process runs. */
  between?(machine: SimulatedMachine): Promise<void>;
  /** Options the killed process opens with. */
  readonly opensWith?: DevmapperOptions;
  run(set: DeviceSet, machine: SimulatedMachine): Promise<void>;
  /** Its recovery is killed at every point too. */
  readonly recoveryToo?: true;
  /** Ends what others do to the machine, before everything is removed. */
  settle?(machine: SimulatedMachine): void;
  /** Layers that are there whatever happens. */
  readonly kept: readonly string[];
  /** Layers that may be there or not. */
  readonly open: readonly string[];
  /** Device ids of the pool that are nobody's and must stay. */
  readonly foreign?: readonly number[];
}

const DEFERRED: DevmapperOptions = { ...SMALL, deferredRemoval: true, deferredDeletion: true };

const SCENARIOS: readonly Scenario[] = [
  { title: 'the first start', run: async () => undefined, kept: [], open: [] },
  {
    title: 'a layer on the base',
    run: (set) => set.addDevice('new', ''),
    kept: [],
    open: ['new'],
  },
  {
    title: 'a snapshot of a mounted layer',
    recoveryToo: true,
    prepare: (_, set) => set.addDevice('a', ''),
    run: async (set, machine) => {
      await set.mountDevice('a', join(machine.home, 'mnt', 'a'));
      await set.addDevice('new', 'a');
    },
    kept: ['a'],
    open: ['new'],
  },
  {
    title: 'a layer larger than its parent',
    run: (set) => set.addDevice('new', '', { size: 96 * MIB }),
    kept: [],
    open: ['new'],
  },
  {
    title: 'a layer whose id a foreign device has',
    recoveryToo: true,
    prepare: async (machine, set) => {
      await machine.kernel.deviceMapper().message(set.core.pool.name, 'create_thin 3');
      await set.addDevice('a', '');
    },
    run: (set) => set.addDevice('new', ''),
    kept: ['a'],
    open: ['new'],
    foreign: [3],
  },
  {
    title: 'a layer that cannot be made',
    run: async (set, machine) => {
      machine.kernel.inject({ call: 'set_transaction_id', failure: 'EIO' });
      await set.addDevice('new', '').catch(() => undefined);
    },
    kept: [],
    open: ['new'],
  },
  {
    title: 'a deletion',
    recoveryToo: true,
    options: { ...SMALL, blkDiscard: true },
    prepare: async (_, set) => {
      await set.addDevice('a', '');
      await set.addDevice('b', 'a');
    },
    run: async (set) => {
      await set.deleteDevice('b', { sync: false });
    },
    kept: ['a'],
    open: ['b'],
  },
  {
    title: 'a deletion that the pool refuses',
    prepare: (_, set) => set.addDevice('a', ''),
    run: async (set, machine) => {
      machine.kernel.inject({ call: 'delete', failure: 'EIO' });
      await set.deleteDevice('a', { sync: false }).catch(() => undefined);
    },
    kept: [],
    open: ['a'],
  },
  {
    title: 'a deferred deletion',
    options: DEFERRED,
    prepare: (_, set) => set.addDevice('a', ''),
    run: async (set, machine) => {
      const mountPoint = join(machine.home, 'mnt', 'a');
      await set.mountDevice('a', mountPoint);
      const name = set.core.names.of('a');
      machine.kernel.open(name);
      await set.unmountDevice('a', mountPoint);
      await set.deleteDevice('a', { sync: false });
      await set.addDevice('a', '');
      machine.kernel.closeOpener(set.core.names.of('.deleted-2'));
      await set.deleteTombstones();
    },
    settle: ({ kernel }) => {
      for (const { name, openCount, live } of [...kernel.devices.values()]) {
        if (live?.[0]?.type === 'thin' && openCount > 0) kernel.closeOpener(name);
      }
    },
    kept: [],
    open: ['a'],
  },
  {
    title: 'a look into the pool',
    recoveryToo: true,
    run: async ({ core }) => {
      await core.pool.reserveMetadataSnapshot();
      await step('record.save', () => Promise.resolve());
      await core.pool.releaseMetadataSnapshot();
    },
    kept: [],
    open: [],
  },
  {
    title: 'the growth of the base device',
    prepare: (_, set) => set.addDevice('a', ''),
    opensWith: { ...SMALL, baseSize: 96 * MIB },
    run: async () => undefined,
    kept: ['a'],
    open: [],
  },
  {
    title: 'the growth of the pool',
    prepare: (_, set) => set.addDevice('a', ''),
    run: (set) => set.growPool({ data: 256 * MIB, metadata: 8 * MIB }),
    kept: ['a'],
    open: [],
  },
  {
    title: 'the migration of the single file',
    prepare: (_, set) => set.addDevice('a', ''),
    between: async ({ home }) => {
      const record = async (name: string): Promise<unknown> =>
        JSON.parse(await readFile(join(home, 'metadata', name), 'utf8'));
      const single = { Devices: { '': await record('base'), a: await record('a') } };
      await rm(join(home, 'metadata'), { recursive: true });
      await mkdir(join(home, 'metadata'));
      await writeFile(join(home, 'devicemapper', 'json'), JSON.stringify(single));
    },
    run: async () => undefined,
    kept: ['a'],
    open: [],
  },
];

async function arrange(machine: SimulatedMachine, scenario: Scenario): Promise<void> {
  if (scenario.prepare === undefined) return;
  const set = await machine.open(scenario.options);
  await scenario.prepare(machine, set);
  await set.close();
  await scenario.between?.(machine);
}

async function act(machine: SimulatedMachine, scenario: Scenario, host: DeviceSetHost): Promise<void> {
  const set = await machine.open(scenario.opensWith ?? scenario.options, host);
  await scenario.run(set, machine);
}

async function pointsOf(scenario: Scenario): Promise<KillPoint[]> {
  await using machine = await SimulatedMachine.start();
  await arrange(machine, scenario);
  return await machine.record((host) => act(machine, scenario, host));
}

/** What has to hold after the next start, whatever came before. */
async function expectWhole(machine: SimulatedMachine, scenario: Scenario, set: DeviceSet): Promise<void> {
  for (const id of scenario.kept) expect(set.layers()).toContain(id);
  for (const id of set.layers()) expect([...scenario.kept, ...scenario.open]).toContain(id);
  const { core } = set;
  // The pool has exactly the devices there are records of, and what is nobody's.
  const recorded = set.list().map((hash) => core.table.get(hash)?.deviceId ?? -1);
  expect([...machine.pool(set).thins.keys()].toSorted((a, b) => a - b)).toEqual(
    [...recorded, ...(scenario.foreign ?? [])].toSorted((a, b) => a - b),
  );
  for (const id of recorded) expect(core.ids.isUsed(id)).toBe(true);
  for (const device of machine.kernel.devices.values())
    expect([device.name, device.suspended]).toEqual([device.name, false]);
  expect(machine.pool(set).heldRoot).toBeUndefined();
  const transaction = await core.metadata.loadTransaction();
  expect(transaction?.openTransactionId ?? core.transactions.id).toBe(core.transactions.id);
  for (const id of set.layers()) {
    const mountPoint = join(machine.home, 'mnt', id);
    if (machine.fileSystems.mounts.has(mountPoint)) continue;
    await set.mountDevice(id, mountPoint);
    await set.unmountDevice(id, mountPoint);
  }
}

/** Kills at one point, starts again twice, works on. */
async function checkPoint(scenario: Scenario, point: KillPoint, reboot: boolean): Promise<void> {
  await using machine = await SimulatedMachine.start();
  await arrange(machine, scenario);
  expect(await machine.killAt(point, (host) => act(machine, scenario, host))).toBe(true);
  if (reboot) machine.reboot();
  const options = scenario.opensWith ?? scenario.options;
  const set = await machine.open(options);
  await expectWhole(machine, scenario, set);
  const state = await machine.state();
  // A process that dies without having done anything changes nothing, and neither does the start after it.
  const again = await machine.open(options);
  expect(await machine.state()).toEqual(state);
  scenario.settle?.(machine);
  await again.addDevice('later', '');
  await again.deleteDevice('later', { sync: true });
  for (const id of again.layers()) {
    const mountPoint = join(machine.home, 'mnt', id);
    if (machine.fileSystems.mounts.has(mountPoint)) await again.unmountDevice(id, mountPoint);
    await again.deleteDevice(id, { sync: true });
  }
  expect(again.layers()).toEqual([]);
}

describe('a process that is killed', () => {
  const reached = new Set<DevmapperFailpoint>();

  for (const scenario of SCENARIOS) {
    it(`in ${scenario.title}, at any point, leaves what the next start puts right`, async () => {
      const points = await pointsOf(scenario);
      expect(points.length).toBeGreaterThan(0);
      for (const point of points) {
        reached.add(point.name);
        for (const reboot of [false, true]) {
          try {
            await checkPoint(scenario, point, reboot);
          } catch (error) {
            const where = `${point.side} ${point.name}, passage ${point.passage}${reboot ? ', and a reboot' : ''}`;
            throw new Error(`killed ${where}: ${String(error)}`, { cause: error });
          }
        }
      }
    }, 120_000);
  }

  it('while it puts right what another left, leaves what the next start puts right', async () => {
    for (const scenario of SCENARIOS.filter(({ recoveryToo }) => recoveryToo)) {
      const first = await pointsOf(scenario);
      for (const point of first) {
        await using machine = await SimulatedMachine.start();
        await arrange(machine, scenario);
        await machine.killAt(point, (host) => act(machine, scenario, host));
        const options = scenario.opensWith ?? scenario.options;
        // The second process dies in each of its own steps in turn, until one gets through.
        for (let target = 1, died = true; died; target++) {
          let passed = 0;
          died = await machine.killWhen(
            (name) => {
              reached.add(name);
              passed += 1;
              return passed === target;
            },
            (host) => machine.open(options, host),
          );
          expect(target).toBeLessThan(100);
        }
        await expectWhole(machine, scenario, await machine.open(options));
      }
    }
  }, 120_000);

  it('has been killed at every point there is', () => {
    expect(DEVMAPPER_FAILPOINTS.filter((name) => !reached.has(name))).toEqual([]);
  });
});
