import fc from 'fast-check';
import type { EditKind } from './edit.js';

/**
 * An edit before it is known what there is to edit. The numbers choose among what the tree has by then, each modulo how much that
 * is: so every wish makes sense on nearly every tree, and a sequence still does when shrinking takes some away.
 */
export interface EditWish {
  readonly kind: EditKind;
  /** Which object, or which directory to make one in. */
  readonly place: number;
  /** Which other object or directory, for edits of two. */
  readonly other: number;
  readonly name: number;
  /** Sizes, modes, owners, times. */
  readonly value: number;
}

/** What edits there are, and how often each is wished for. */
const WEIGHTS: Readonly<Record<EditKind, number>> = {
  create: 8,
  directory: 5,
  overwrite: 3,
  append: 3,
  truncate: 2,
  symlink: 3,
  link: 3,
  fifo: 1,
  device: 2,
  rename: 3,
  'rename-directory': 3,
  replace: 2,
  remove: 4,
  recreate: 3,
  'directory-to-file': 2,
  'file-to-directory': 2,
  mode: 3,
  owner: 3,
  'set-xattr': 3,
  'remove-xattr': 1,
  times: 2,
};

export const EDIT_KINDS: readonly EditKind[] = Object.keys(WEIGHTS) as EditKind[];
const CHOICES = 1000;

// An edit is not made simpler, only left out: with both, a failing case would take minutes to become small.
function wish(kinds: readonly EditKind[]): fc.Arbitrary<EditWish> {
  return fc.noShrink(
    fc.record({
      kind: fc.oneof(...kinds.map((kind) => ({ weight: WEIGHTS[kind], arbitrary: fc.constant(kind) }))),
      place: fc.nat(CHOICES),
      other: fc.nat(CHOICES),
      name: fc.nat(CHOICES),
      value: fc.nat(CHOICES),
    }),
  );
}

/** Edits of several layers, the lowest first. Shrinks to fewer edits in fewer layers. */
export function layersOfWishes(
  most: { readonly layers: number; readonly edits: number },
  without: readonly EditKind[] = [],
): fc.Arbitrary<EditWish[][]> {
  // Shorter sequences find no more, they only are what shrinking should end at.
  const edits = fc.array(wish(EDIT_KINDS.filter((kind) => !without.includes(kind))), {
    maxLength: most.edits,
    size: 'max',
  });
  return fc.array(edits, { minLength: 1, maxLength: most.layers, size: 'max' });
}
