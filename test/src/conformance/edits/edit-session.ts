import { errnoOf } from '@x/archive';
import { expectEqual } from '../expectation.js';
import { applyEdit } from './apply-edit.js';
import { formatEdit } from './edit.js';
import type { EditWish } from './edit-wish.js';
import { type EditPowers, planEdit } from './plan-edit.js';
import { TreeOutline } from './tree-outline.js';

/** Of the first edit, in seconds since the epoch; each further one is a whole second and a bit later. */
const FIRST_STAMP = 1_400_000_000n;
const SECOND = 1_000_000_000n;
const BIT = 1_000_003n;

/** Edits of a tree that may be done to several copies of it, and what they were. */
export class EditSession {
  /** A plain directory: what the file system itself makes of the edits. */
  readonly model: string;
  /** For reports: every edit, and where a layer began. */
  readonly log: string[] = [];
  readonly #powers: EditPowers;
  #inherited: ReadonlySet<string> = new Set();
  #count = 0;

  constructor(model: string, powers: EditPowers) {
    this.model = model;
    this.#powers = powers;
  }

  /** A new layer begins: what has several names now is not changed in place any more, see `PlanBase`. */
  async beginLayer(title: string): Promise<void> {
    this.#inherited = (await TreeOutline.of(this.model)).linkedInodes();
    this.log.push(title);
  }

  /** Does to the model and to `others` what is wished for; each must take it as the model does. */
  async edit(wishes: readonly EditWish[], others: readonly string[]): Promise<void> {
    for (const wish of wishes) {
      this.#count += 1;
      const edit = planEdit(wish, {
        outline: await TreeOutline.of(this.model),
        inherited: this.#inherited,
        powers: this.#powers,
        seed: this.#count,
      });
      if (edit === undefined) continue;
      const line = formatEdit(edit);
      this.log.push(`  ${line}`);
      const stamp = this.#stamp();
      const wanted = await outcomeOf(() => applyEdit(this.model, edit, stamp));
      for (const other of others) {
        expectEqual(await outcomeOf(() => applyEdit(other, edit, stamp)), wanted, `outcome of: ${line}`);
      }
    }
  }

  /** Every third has no nanoseconds, as the times in most layers. */
  #stamp(): bigint {
    const seconds = (FIRST_STAMP + BigInt(this.#count)) * SECOND;
    return this.#powers.native && this.#count % 3 !== 0 ? seconds + BigInt(this.#count) * BIT : seconds;
  }
}

async function outcomeOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno;
  }
}
