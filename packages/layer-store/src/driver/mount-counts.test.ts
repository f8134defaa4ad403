import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DriverId } from './contract.js';
import { MountCounts, type Mounter } from './mount-counts.js';

const ID = 'layer' as DriverId;

describe('MountCounts', () => {
  let mounted: boolean;
  let calls: string[];
  let failing: string | undefined;
  let mounter: Mounter;
  let counts: MountCounts;

  beforeEach(() => {
    mounted = false;
    calls = [];
    failing = undefined;
    counts = new MountCounts();
    const call = (name: string): void => {
      calls.push(name);
      if (failing === name) throw new Error(`${name} failed`);
    };
    mounter = {
      isMounted: async () => mounted,
      mount: async () => {
        call('mount');
        mounted = true;
        return '/merged';
      },
      unmount: async () => {
        call('unmount');
        mounted = false;
      },
    };
  });

  it('mounts with the first use and unmounts with the last', async () => {
    expect(await counts.get(ID, mounter)).toBe('/merged');
    expect(await counts.get(ID, mounter)).toBe('/merged');
    expect(counts.count(ID)).toBe(2);
    await counts.put(ID, mounter);
    expect(calls).toEqual(['mount']);
    await counts.put(ID, mounter);
    expect(calls).toEqual(['mount', 'unmount']);
    expect(counts.ids()).toEqual([]);
  });

  it('a failed mount leaves no use behind: the next get mounts', async () => {
    failing = 'mount';
    await expect(counts.get(ID, mounter)).rejects.toThrow('mount failed');
    expect(counts.count(ID)).toBe(0);
    failing = undefined;
    await counts.get(ID, mounter);
    expect(counts.count(ID)).toBe(1);
    expect(mounted).toBe(true);
  });

  it('a put without a get touches nothing that is not mounted', async () => {
    await counts.put(ID, mounter);
    await counts.put(ID, mounter);
    expect(calls).toEqual([]);
    expect(counts.count(ID)).toBe(0);
  });

  it('a put without a get unmounts what a dead process left', async () => {
    mounted = true;
    await counts.put(ID, mounter);
    expect(calls).toEqual(['unmount']);
    expect(mounted).toBe(false);
  });

  it('a mount left by a dead process counts as one use beside ours', async () => {
    mounted = true;
    await counts.get(ID, mounter);
    expect(counts.count(ID)).toBe(2);
    await counts.put(ID, mounter);
    expect(mounted).toBe(true);
    await counts.put(ID, mounter);
    expect(mounted).toBe(false);
  });

  it('after a failed unmount everything still ends balanced', async () => {
    await counts.get(ID, mounter);
    failing = 'unmount';
    await expect(counts.put(ID, mounter)).rejects.toThrow('unmount failed');
    failing = undefined;
    expect(await counts.get(ID, mounter)).toBe('/merged');
    expect(counts.count(ID)).toBe(2);
    await counts.put(ID, mounter);
    await counts.put(ID, mounter);
    expect(mounted).toBe(false);
    expect(counts.count(ID)).toBe(0);
  });

  it('after an unmount that failed but took effect the next get mounts again', async () => {
    await counts.get(ID, mounter);
    failing = 'unmount';
    await expect(counts.put(ID, mounter)).rejects.toThrow('unmount failed');
    failing = undefined;
    mounted = false;
    await counts.get(ID, mounter);
    expect(calls).toEqual(['mount', 'unmount', 'mount']);
    expect(counts.count(ID)).toBe(1);
  });
});
