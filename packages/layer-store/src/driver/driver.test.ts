import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CreateOptions, DriverId, UnpackOptions } from './contract.js';
import type { CreateKind } from './create-options.js';
import { Driver } from './driver.js';

/** The smallest driver: directories, with switches to make it fail, wait and look mounted. */
class DirectoryDriver extends Driver {
  override readonly name = 'directories';
  readonly calls: string[] = [];
  failing: string | undefined;
  gate: Promise<void> | undefined;
  leftMounted = false;

  constructor(home: string, quota = false) {
    super(home, {
      nativeDiff: false,
      nativeChanges: false,
      quota,
      hardlinks: false,
      reproducesExactDiffs: false,
      whiteouts: 'delete',
      mounts: false,
      mountLabels: false,
      maxDepth: 127,
      rootless: true,
    });
  }

  async #call(name: string): Promise<void> {
    this.calls.push(name);
    await this.gate;
    if (this.failing === name)
      throw Object.assign(new Error('no'), { code: 'EIO', syscall: 'read', path: '/x' });
  }

  protected override async _open(): Promise<void> {
    await this.#call('open');
  }
  protected override async _create(
    id: DriverId,
    parent: DriverId | undefined,
    _: CreateOptions,
  ): Promise<void> {
    await mkdir(path.join(this.home, id));
    if (parent !== undefined) await writeFile(path.join(this.home, id, 'parent'), parent);
    await this.#call('create');
  }
  protected override async _createReadWrite(id: DriverId, parent: DriverId | undefined): Promise<void> {
    await this._create(id, parent, {});
    await this.#call('createReadWrite');
  }
  protected override async _remove(id: DriverId): Promise<void> {
    await this.#call('remove');
    await rm(path.join(this.home, id), { recursive: true, force: true });
  }
  protected override async _get(id: DriverId): Promise<string> {
    await this.#call('get');
    return path.join(this.home, id);
  }
  protected override async _put(): Promise<void> {
    await this.#call('put');
  }
  protected override async _exists(id: DriverId): Promise<boolean> {
    return (await this._list()).includes(id);
  }
  protected override async _list(): Promise<DriverId[]> {
    return (await readdir(this.home)) as DriverId[];
  }
  protected override async _status(): Promise<readonly (readonly [string, string])[]> {
    return [
      ['b', '1'],
      ['a', '2'],
    ];
  }
  protected override async _isMounted(): Promise<boolean> {
    return this.leftMounted;
  }
  protected override async _mounted(): Promise<DriverId[]> {
    return this.leftMounted ? this._list() : [];
  }
  protected override _isReserved(id: string): boolean {
    return id === 'reserved';
  }
  protected override _checkStorageOptions(options: Readonly<Record<string, string>>, kind: CreateKind): void {
    if (!this.capabilities.quota || kind === 'read-only') super._checkStorageOptions(options, kind);
  }
}

let home: string;
let driver: DirectoryDriver;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'driver-'));
  driver = new DirectoryDriver(home);
  await driver.open();
});
afterEach(async () => {
  driver.failing = undefined;
  await driver.close();
  await rm(home, { recursive: true });
});

async function collect(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

const unused = { unpack: async () => ({ size: 0, payloadBytes: 0, warnings: [] }) };

/** Every operation on one id, however it is called. */
const OPERATIONS: [string, (driver: Driver, id: string) => Promise<unknown>][] = [
  ['create', (d, id) => d.create(id)],
  ['createReadWrite', (d, id) => d.createReadWrite(id)],
  ['remove', (d, id) => d.remove(id)],
  ['get', (d, id) => d.get(id)],
  ['exists', (d, id) => d.exists(id)],
  ['metadata', (d, id) => d.metadata(id)],
  ['changes', (d, id) => d.changes(id)],
  ['diffSize', (d, id) => d.diffSize(id)],
  ['applyDiff', (d, id) => d.applyDiff(id, undefined, unused)],
  ['fileSource', (d, id) => d.fileSource(id)],
  ['usage', (d, id) => d.usage(id)],
  ['diff', async (d, id) => collect(d.diff(id))],
];

describe.each(OPERATIONS)('%s', (name, operate) => {
  it.each(['', '.', '..', '-a', '.a', 'a/b', 'a\0', 'ä', 'a b', 'x'.repeat(201), 'reserved'])(
    'refuses the id %j',
    async (id) => {
      await expect(operate(driver, id)).rejects.toMatchObject({ code: 'DRIVER_ID_INVALID' });
      expect(await driver.list()).toEqual([]);
    },
  );

  it('is refused before the driver is open, and after it was closed', async () => {
    await expect(operate(new DirectoryDriver(home), 'a')).rejects.toMatchObject({ code: 'DRIVER_CLOSED' });
    await driver.close();
    await expect(operate(driver, 'a')).rejects.toMatchObject({ code: 'DRIVER_CLOSED' });
    await driver.open();
    if (name !== 'create' && name !== 'createReadWrite') await driver.create('a');
    await operate(driver, 'a');
  });

  it('knows what is there', async () => {
    if (name === 'remove' || name === 'exists') {
      await expect(operate(driver, 'unknown')).resolves.toBeFalsy();
    } else if (name.startsWith('create')) {
      await driver.create('a');
      await expect(operate(driver, 'a')).rejects.toMatchObject({ code: 'DRIVER_ID_EXISTS', cacheId: 'a' });
    } else {
      await expect(operate(driver, 'unknown')).rejects.toMatchObject({
        code: 'DRIVER_ID_UNKNOWN',
        cacheId: 'unknown',
      });
    }
  });
});

it.each(['1', 'Base', 'Snap', 'empty', 'base', 'a'.repeat(200), `${'0'.repeat(64)}-init`])(
  '%j is an id',
  async (id) => {
    await driver.create(id);
    expect(await driver.exists(id)).toBe(true);
  },
);

describe('creating', () => {
  it('refuses an unknown parent', async () => {
    await expect(driver.create('a', 'none')).rejects.toMatchObject({
      code: 'DRIVER_ID_UNKNOWN',
      cacheId: 'none',
    });
    expect(await driver.list()).toEqual([]);
  });

  it('leaves no trace when it fails, and says why', async () => {
    driver.failing = 'create';
    await expect(driver.create('a')).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      driver: 'directories',
      cacheId: 'a',
      errno: 'EIO',
      syscall: 'read',
      path: '/x',
    });
    expect(await driver.list()).toEqual([]);
  });

  it('refuses options the driver does not have', async () => {
    await expect(driver.create('a', undefined, { mountLabel: 'x' })).rejects.toMatchObject({
      code: 'DRIVER_NOT_SUPPORTED',
    });
    await expect(driver.create('a', undefined, { storageOpt: { Size: '1G' } })).rejects.toMatchObject({
      code: 'DRIVER_QUOTA_NOT_SUPPORTED',
    });
    await expect(driver.create('a', undefined, { storageOpt: { color: 'red' } })).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
      option: 'color',
    });
    await expect(driver.create('a', undefined, { lable: 'x' } as never)).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
    });
    await expect(driver.create('a', undefined, { storageOpt: { size: 1 } } as never)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    expect(driver.calls).toEqual(['open']);
    await driver.create('a', undefined, { mountLabel: '' });
  });

  it('a driver with quota takes a size for a read-write layer', async () => {
    await using limited = new DirectoryDriver(home, true);
    await limited.open();
    await limited.createReadWrite('a', undefined, { storageOpt: { size: '1G' } });
  });

  it('of two creations of one id at once one succeeds', async () => {
    const results = await Promise.allSettled([driver.create('a'), driver.create('a')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('uses', () => {
  beforeEach(() => driver.create('a'));

  it('a layer in use cannot be removed, one given up can', async () => {
    await driver.get('a');
    await expect(driver.remove('a')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await driver.put('a');
    await driver.remove('a');
    expect(await driver.exists('a')).toBe(false);
  });

  it('neither can one whose files are open, nor a parent that is being copied or compared', async () => {
    const files = await driver.fileSource('a');
    await expect(driver.remove('a')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await files.close();
    await files.close();
    let open: () => void = () => undefined;
    driver.gate = new Promise((resolve) => {
      open = resolve;
    });
    const creating = driver.create('child', 'a');
    const removing = expect(driver.remove('a')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await removing;
    open();
    await creating;
    await driver.remove('a');
  });

  it('a failed get leaves the layer removable', async () => {
    driver.failing = 'get';
    await expect(driver.get('a')).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    driver.failing = undefined;
    await driver.remove('a');
  });

  it('a put without a get is fine, and reaches the driver only for what is mounted', async () => {
    await driver.put('a');
    expect(driver.calls).not.toContain('put');
    driver.leftMounted = true;
    await driver.put('a');
    expect(driver.calls).toContain('put');
  });

  it('withMount gives up what it took, whatever happens, and reports the first failure', async () => {
    await expect(driver.withMount('a', async (at) => readdir(at))).resolves.toEqual([]);
    driver.failing = 'put';
    const failing = driver.withMount('a', () => Promise.reject(new Error('in use')));
    await expect(failing).rejects.toThrow('in use');
    driver.failing = undefined;
    await driver.remove('a');
  });

  it('closing unmounts what is still in use, and reports what it could not', async () => {
    await driver.get('a');
    await driver.get('a');
    await driver.close();
    expect(driver.calls.filter((call) => call === 'put')).toHaveLength(1);
    await driver.open();
    await driver.get('a');
    driver.failing = 'put';
    await expect(driver.close()).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    await driver.close();
  });

  it('a mount that was found at open counts as a use until it is given up', async () => {
    await driver.close();
    driver.leftMounted = true;
    await driver.open();
    expect(driver.isAdopted('a')).toBe(true);
    driver.calls.length = 0;
    await driver.get('a');
    await driver.put('a');
    expect(driver.calls).toEqual(['get']);
    expect(await driver.disown('a')).toBe(true);
    expect(driver.calls).toEqual(['get', 'put']);
    driver.leftMounted = false;
    expect(driver.isAdopted('a')).toBe(false);
    expect(await driver.disown('a')).toBe(false);
    expect(driver.calls).toEqual(['get', 'put']);
  });

  it('a mount that was found is ended once only, under a use of our own not at all', async () => {
    await driver.close();
    driver.leftMounted = true;
    await driver.open();
    await driver.get('a');
    driver.calls.length = 0;
    expect(await driver.disown('a')).toBe(true);
    expect(await driver.disown('a')).toBe(false);
    expect(driver.calls).toEqual([]);
    await expect(driver.remove('a')).rejects.toMatchObject({ code: 'DRIVER_BUSY' });
    await driver.put('a');
    expect(driver.calls).toEqual(['put']);
  });

  it('a layer that only a dead process has mounted can be removed', async () => {
    await driver.close();
    driver.leftMounted = true;
    await driver.open();
    await driver.remove('a');
    driver.leftMounted = false;
    await driver.create('a');
    expect(driver.isAdopted('a')).toBe(false);
  });

  it('closing unmounts what was found too, or keeps all mounts when told to', async () => {
    await driver.close();
    driver.leftMounted = true;
    await driver.open();
    driver.calls.length = 0;
    await driver.close({ mounts: 'keep' });
    expect(driver.calls).toEqual([]);
    await driver.open();
    await driver.close();
    expect(driver.calls).toEqual(['open', 'put']);
    driver.leftMounted = false;
    expect(() => driver.close({ mounts: 'leave' } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
    expect(() => driver.close({ mount: 'keep' } as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
    );
  });

  it('closing waits for what runs and closes streams', async () => {
    await writeFile(path.join(home, 'a', 'file'), 'x');
    const stream = driver.diff('a');
    await stream[Symbol.asyncIterator]().next();
    let finished = false;
    let open: () => void = () => undefined;
    driver.gate = new Promise((resolve) => {
      open = resolve;
    });
    const creating = driver.create('b').then(() => {
      finished = true;
    });
    const closing = driver.close();
    await expect(driver.create('c')).rejects.toMatchObject({ code: 'DRIVER_CLOSED' });
    open();
    await closing;
    expect(finished).toBe(true);
    await creating;
  });
});

describe('the generic diff', () => {
  beforeEach(async () => {
    await driver.create('a');
    await driver.create('b');
    await writeFile(path.join(home, 'b', 'file'), 'content');
  });

  it('streams a whole tree without a parent and the differences with one, and gives both up', async () => {
    expect(await collect(driver.diff('b'))).toBeGreaterThan(1024);
    expect((await driver.changes('b', 'a')).map(({ kind }) => kind)).toEqual(['add']);
    expect(await driver.diffSize('b', 'a')).toBe(7);
    expect((await driver.usage('b')).bytes).toBe(7);
    await driver.remove('a');
    await driver.remove('b');
  });

  it('a stream nobody reads holds nothing', async () => {
    const stream = driver.diff('b', 'a');
    await driver.remove('a');
    await stream.close();
    await expect(collect(driver.diff('b', 'a'))).rejects.toMatchObject({ code: 'DRIVER_ID_UNKNOWN' });
    await driver.remove('b');
  });

  it('a stream that is left early, closed or aborted gives up the layer', async () => {
    for await (const _chunk of driver.diff('b')) break;
    const abort = new AbortController();
    const stream = driver.diff('b', undefined, { signal: abort.signal });
    abort.abort();
    await expect(collect(stream)).rejects.toMatchObject({ name: 'AbortError' });
    await driver.remove('b');
  });

  it('a layer is unpacked where and how the driver says', async () => {
    let seen: [string, UnpackOptions] | undefined;
    const size = await driver.applyDiff('b', 'a', {
      unpack: async (directory, options) => {
        seen = [directory, options];
        return { size: 42, payloadBytes: 41, warnings: [] };
      },
    });
    expect(size).toBe(42);
    expect(seen).toEqual([path.join(home, 'b'), { whiteouts: 'delete' }]);
  });
});

it('capabilities cannot be changed, and a relative home is refused', () => {
  expect(Object.isFrozen(driver.capabilities)).toBe(true);
  expect(() => new DirectoryDriver('home')).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});

it('sync returns when the home is flushed', async () => {
  await driver.sync();
  await rm(home, { recursive: true });
  await expect(driver.sync()).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
  await mkdir(home);
});

it('status keeps its order', async () => {
  expect(await driver.status()).toEqual([
    ['b', '1'],
    ['a', '2'],
  ]);
});
