import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Layer, LayerStore } from '@x/layer-store';
import { devicemapperDriver } from '../factory.js';

const SCRATCH = process.env.LAYER_STORE_SCRATCH ?? '/run/scratch';
/** Some thousand small files that every Debian has, links of both kinds among them. */
const SOURCES: readonly string[] = ['share/zoneinfo', 'share/perl', 'include/linux'];

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(SCRATCH, 'main-job-'));
});

afterEach(() => rm(base, { recursive: true }));

function tarOf(name: string, ...args: string[]): string {
  const file = join(base, `${name}.tar`);
  execFileSync('tar', ['-cf', file, ...args]);
  return file;
}

/** Takes away and replaces some of what the layers below have. */
function tarOfChanges(): string {
  const tree = join(base, 'changes');
  mkdirSync(join(tree, 'include/linux'), { recursive: true });
  mkdirSync(join(tree, 'share'), { recursive: true });
  writeFileSync(join(tree, 'include/linux/fs.h'), 'replaced');
  writeFileSync(join(tree, 'share/.wh.perl'), '');
  writeFileSync(join(tree, 'include/linux/.wh.stat.h'), '');
  return tarOf('changes', '-C', tree, 'include', 'share');
}

const openStore = (): Promise<LayerStore> =>
  LayerStore.open({
    root: join(base, 'store'),
    driver: 'devicemapper',
    drivers: [devicemapperDriver],
    driverOptions: {
      'dm.fs': 'ext4',
      'dm.basesize': '192M',
      'dm.loopdatasize': '1G',
      'dm.loopmetadatasize': '16M',
    },
  });

async function digestOf(layer: Layer): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of layer.tarStream()) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

const sha256 = (file: string): string =>
  `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`;

describe('the main job on devicemapper', () => {
  it('three layers of some thousand files come in, are edited, committed and come out byte for byte', async () => {
    const tars = [
      tarOf('lower', '-C', '/usr', ...SOURCES.slice(0, 2)),
      tarOf('upper', '-C', '/usr', ...SOURCES.slice(2)),
      tarOfChanges(),
    ];
    const chains: string[] = [];
    {
      await using store = await openStore();
      let parent: string | undefined;
      for (const tar of tars) {
        const layer = await store.register(createReadStream(tar), parent);
        expect(layer.diffId).toBe(sha256(tar));
        parent = layer.chainId;
        chains.push(parent);
      }
      const rw = await store.createRWLayer('edit', parent);
      const path = await rw.mount();
      expect(readdirSync(join(path, 'share'))).toEqual(['zoneinfo']);
      expect(readdirSync(join(path, 'share/zoneinfo')).toSorted()).toEqual(
        readdirSync('/usr/share/zoneinfo').toSorted(),
      );
      expect(readFileSync(join(path, 'include/linux/fs.h'), 'utf8')).toBe('replaced');
      expect(existsSync(join(path, 'include/linux/stat.h'))).toBe(false);
      expect(statSync(join(path, 'include/linux/types.h')).size).toBe(
        statSync('/usr/include/linux/types.h').size,
      );
      writeFileSync(join(path, 'share/zoneinfo/UTC.note'), 'edited');
      rmSync(join(path, 'include/linux/fs.h'));
      const changes = (await rw.changes()).map(({ kind, path: name }) => `${kind} ${name.toString()}`);
      expect(changes.toSorted()).toEqual([
        'add /share/zoneinfo/UTC.note',
        'delete /include/linux/fs.h',
        'modify /include',
        'modify /include/linux',
        'modify /share',
        'modify /share/zoneinfo',
      ]);
      const committed = await store.commit(rw);
      chains.push(committed.chainId);
      await rw.unmount();
      await store.releaseRWLayer(rw);
    }
    expect(execFileSync('dmsetup', ['ls']).toString()).toContain('No devices found');
    expect(execFileSync('losetup', ['-a']).toString()).toBe('');

    await using store = await openStore();
    for (const [index, tar] of tars.entries()) {
      expect(await digestOf(await store.get(chains[index] ?? ''))).toBe(sha256(tar));
    }
    const edited = await store.get(chains[3] ?? '');
    expect(await digestOf(edited)).toBe(edited.diffId);
  });
});
