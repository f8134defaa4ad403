import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { itWith, nativeAddon, rootPrivilege } from '../../capability/capability.js';
import { type ScratchDirectory, scratchDirectory } from '../../scratch/scratch-directory.js';
import { expectSameTree } from '../expectation.js';
import { EditSession } from './edit-session.js';
import { EDIT_KINDS, layersOfWishes } from './edit-wish.js';
import type { EditPowers } from './plan-edit.js';

const EVERYTHING: EditPowers = { root: true, native: true, specialModes: true };
const NOTHING: EditPowers = { root: false, native: false, specialModes: false };

let scratch: ScratchDirectory;
beforeEach(async () => {
  scratch = await scratchDirectory();
});
afterEach(async () => scratch[Symbol.asyncDispose]());

async function directory(name: string): Promise<string> {
  const place = path.join(scratch.path, name);
  await mkdir(place);
  return place;
}

/** Some hundred edits in layers, the same every time. */
async function editAll(session: EditSession, others: readonly string[]): Promise<readonly string[]> {
  const cases = fc.sample(layersOfWishes({ layers: 3, edits: 60 }), { seed: 7, numRuns: 6 });
  for (const [number, wishes] of cases.flat().entries()) {
    await session.beginLayer(`layer ${number}`);
    await session.edit(wishes, others);
  }
  return session.log;
}

function kindsIn(log: readonly string[]): readonly string[] {
  const kinds = log.filter((line) => line.startsWith('  ')).map((line) => line.trim().split(' ')[0] ?? '');
  return [...new Set(kinds)].sort();
}

jest.setTimeout(60_000);

describe('edits', () => {
  itWith(rootPrivilege(), nativeAddon())(
    'of every kind are done, and give the same tree wherever they are done',
    async () => {
      const other = await directory('other');
      const session = new EditSession(await directory('model'), EVERYTHING);
      const log = await editAll(session, [other]);
      expect(kindsIn(log)).toEqual([...EDIT_KINDS].sort());
      await expectSameTree(other, session.model, 'the second directory', { rootEntry: false });
    },
  );

  itWith(rootPrivilege(), nativeAddon())('are the same whenever they are done', async () => {
    const [first, second] = [
      new EditSession(await directory('first'), EVERYTHING),
      new EditSession(await directory('second'), EVERYTHING),
    ];
    expect(await editAll(first, [])).toEqual(await editAll(second, []));
    await expectSameTree(second.model, first.model, 'the second time', { rootEntry: false });
  });

  it('are those an ordinary user without the addon can do, where only these are wanted', async () => {
    const session = new EditSession(await directory('model'), NOTHING);
    const log = await editAll(session, []);
    const beyond = ['device', 'fifo', 'owner', 'remove-xattr', 'set-xattr'];
    expect(kindsIn(log)).toEqual(EDIT_KINDS.filter((kind) => !beyond.includes(kind)).toSorted());
    expect(log.filter((line) => /mode=0[1-7][0-7]{3}/.test(line))).toEqual([]);
  });

  it('that a tree takes otherwise than the model are found', async () => {
    const session = new EditSession(await directory('model'), NOTHING);
    const elsewhere = path.join(scratch.path, 'not', 'there');
    await expect(editAll(session, [elsewhere])).rejects.toThrow(
      /outcome of: .* expected 'done', found 'ENOENT'/,
    );
  });
});
