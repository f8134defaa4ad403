/**
 * What this layer made, by inode: whiteouts and opaque markers concern lower layers only and must spare it (OCI
 * image-spec layer.md), and a payload that loses its name must be saved first (spec/layer-archive.md 3.9).
 */
import type { ObjectKey } from './worker-tree.js';

const NO_PAYLOAD = -1;

/** A payload that was written through a symbolic link of the tree, which a later entry may redirect. */
export interface LinkedPayload {
  readonly fileIndex: number;
  readonly key: ObjectKey;
  /** The entry's name, which is how the payload will be asked for. */
  readonly path: string;
  /** Where the file really is: no links on the way. */
  readonly place: string;
}

/** What is left to do for a directory once nothing more is put into it. */
export interface PendingDirectory {
  readonly path: string;
  readonly atime: number;
  readonly mtime: number;
  /** Permission bits held back because they would shut out an extraction without privileges. */
  readonly mode: number | undefined;
}

export class MadeObjects {
  /** Inode → number of its payload, or NO_PAYLOAD. */
  readonly #objects = new Map<ObjectKey, number>();
  /** Only for payloads that got further hard links: which of the names is the payload's own. */
  readonly #ownNames = new Map<ObjectKey, string>();
  /** Hard links of this layer to objects of lower layers: the name is ours, the inode is not. */
  readonly #foreignLinks = new Set<string>();
  readonly #throughLinks: LinkedPayload[] = [];

  /** By inode, so that a directory that was replaced since is not mistaken for the one that was meant. */
  readonly pendingDirectories: Map<ObjectKey, PendingDirectory> = new Map();

  add(key: ObjectKey): void {
    this.#objects.set(key, NO_PAYLOAD);
  }

  addPayload(key: ObjectKey, fileIndex: number): void {
    this.#objects.set(key, fileIndex);
  }

  addThroughLink(payload: LinkedPayload): void {
    this.#throughLinks.push(payload);
  }

  get throughLinks(): readonly LinkedPayload[] {
    return this.#throughLinks;
  }

  /** @param place link-free path of the name in question */
  has(key: ObjectKey, place: string): boolean {
    return this.#objects.has(key) || (this.#foreignLinks.size > 0 && this.#foreignLinks.has(place));
  }

  /** `target` got the further name `place`. */
  link(key: ObjectKey, target: string, place: string): void {
    if (!this.#objects.has(key)) this.#foreignLinks.add(place);
    else if (!this.#ownNames.has(key)) this.#ownNames.set(key, target);
  }

  /** The name `from` became `to`. */
  rename(key: ObjectKey, from: string, to: string): void {
    if (this.#foreignLinks.delete(from)) this.#foreignLinks.add(to);
    if (this.#ownNames.get(key) === from) this.#ownNames.set(key, to);
  }

  /** The payload that would be lost with the name `place` of this inode. */
  payloadAt(key: ObjectKey, place: string): number | undefined {
    const fileIndex = this.#objects.get(key);
    if (fileIndex === undefined || fileIndex === NO_PAYLOAD) return undefined;
    const own = this.#ownNames.get(key);
    return own === undefined || own === place ? fileIndex : undefined;
  }

  /** The payload was saved; the inode may live on under other names. */
  dropPayload(key: ObjectKey): void {
    if (this.#objects.has(key)) this.#objects.set(key, NO_PAYLOAD);
  }

  /** A name is gone; `last` when the inode went with it and its number may be used again. */
  removed(key: ObjectKey, place: string, last: boolean): void {
    if (this.#foreignLinks.size > 0) this.#foreignLinks.delete(place);
    if (!last) return;
    this.#objects.delete(key);
    this.#ownNames.delete(key);
    this.pendingDirectories.delete(key);
  }
}
