import { describe, expect, it } from '@jest/globals';
import { judgeDevice, planRecovery } from './plan-recovery.js';

const record = { openTransactionId: 5, deviceHash: 'ab', deviceId: 3, kind: undefined };

describe('the transaction begun last', () => {
  it('is over when the pool has its number, and was never begun without a file', () => {
    expect(planRecovery(undefined, 5)).toEqual({ action: 'nothing' });
    expect(planRecovery(record, 5)).toEqual({ action: 'nothing' });
  });

  it('is rolled back when the pool is behind it', () => {
    expect(planRecovery(record, 4)).toEqual({ action: 'roll-back', record });
  });

  it('is only told of when the pool is ahead of it, or not where it was when it began', () => {
    expect(planRecovery(record, 6)).toEqual({ action: 'report', record });
    expect(planRecovery(record, 3)).toEqual({ action: 'report', record });
  });
});

describe('the device of an interrupted transaction', () => {
  const none = { ownRecord: false, otherRecord: false, stamp: undefined };
  it.each([
    ['is deleted when its layer has a record of it', { ...none, ownRecord: true }, 'delete'],
    ['is deleted when the pool made it in that transaction', { ...none, stamp: 4 }, 'delete'],
    ['is left when the pool made it earlier (C6)', { ...none, stamp: 3 }, 'leave'],
    ['is left when nobody can tell', none, 'leave'],
    ['is left when another layer has a record of it', { ...none, otherRecord: true, stamp: 4 }, 'leave'],
    ['is left when two layers have a record of it', { ...none, ownRecord: true, otherRecord: true }, 'leave'],
    ['is gone when the pool says so', { ...none, stamp: 'absent' as const }, 'absent'],
  ])('%s', (_what, evidence, verdict) => {
    expect(judgeDevice(evidence, 4)).toBe(verdict);
  });
});
