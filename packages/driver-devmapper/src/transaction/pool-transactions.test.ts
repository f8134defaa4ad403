import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MetadataDirectory } from '../metadata/metadata-directory.js';
import type { ThinPool } from '../pool/thin-pool.js';
import { PoolTransactions } from './pool-transactions.js';

let home: string;
let metadata: MetadataDirectory;
let poolId: number;
let transactions: PoolTransactions;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dm-transactions-'));
  metadata = new MetadataDirectory(home, () => undefined);
  await metadata.open();
  poolId = 4;
  const pool = {
    setTransactionId: async (from: number, to: number) => {
      if (from !== poolId) throw new Error(`the pool is at ${poolId}`);
      poolId = to;
    },
  };
  transactions = new PoolTransactions(metadata, pool as unknown as ThinPool, poolId);
});

afterEach(() => rm(home, { recursive: true }));

const file = (): Promise<string> => readFile(join(metadata.path, 'transaction-metadata'), 'utf8');

describe('a transaction', () => {
  it('announces the number the pool will have, then gives it to the pool; the file stays', async () => {
    await transactions.open('snap', 'ab', 9);
    expect(await file()).toBe('{"open_transaction_id":5,"device_hash":"ab","device_id":9,"op":"snap"}');
    expect([poolId, transactions.id]).toEqual([4, 4]);
    await transactions.close();
    expect([poolId, transactions.id]).toEqual([5, 5]);
    expect(await file()).toContain('"open_transaction_id":5');
    await transactions.open('delete', 'ab', 9);
    expect(await file()).toContain('"open_transaction_id":6');
  });

  it('that has to take another id announces it first', async () => {
    await transactions.open('create', '', 9);
    await transactions.refresh(10);
    expect(await file()).toBe('{"open_transaction_id":5,"device_hash":"","device_id":10,"op":"create"}');
  });

  it('that is abandoned leaves no file and the number unused', async () => {
    await transactions.open('create', 'ab', 9);
    await transactions.abandon();
    expect(await metadata.loadTransaction()).toBeUndefined();
    expect(transactions.openId).toBe(5);
  });

  it('that is left to the next start leaves its file', async () => {
    await transactions.open('create', 'ab', 9);
    transactions.leave();
    expect(await metadata.loadTransaction()).toMatchObject({ deviceId: 9 });
    await transactions.open('create', 'cd', 10);
  });

  it('stays open when the pool refuses the number', async () => {
    await transactions.open('create', 'ab', 9);
    poolId = 7;
    await expect(transactions.close()).rejects.toThrow('the pool is at 7');
    expect(transactions.id).toBe(4);
    await transactions.abandon();
  });

  it('is never begun within another, nor ended without one', async () => {
    const INVARIANT = { code: 'STORE_INVARIANT' };
    await expect(transactions.close()).rejects.toMatchObject(INVARIANT);
    await expect(transactions.refresh(1)).rejects.toMatchObject(INVARIANT);
    await expect(transactions.abandon()).rejects.toMatchObject(INVARIANT);
    await transactions.open('create', 'ab', 9);
    await expect(transactions.open('create', 'cd', 10)).rejects.toMatchObject(INVARIANT);
    expect(await file()).toContain('"ab"');
  });
});
