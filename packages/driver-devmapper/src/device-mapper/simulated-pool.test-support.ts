import { Errno } from './simulated-errno.test-support.js';

/** A thin device in a pool's metadata. */
export interface SimulatedThin {
  /** Virtual block → physical block. */
  readonly blocks: Map<number, number>;
  /** The pool's transaction id when it was created: thin_dump's `transaction`. */
  readonly transactionId: number;
  /** What the device holds, for the simulated file systems; copied on snapshot. */
  content: SimulatedContent | undefined;
}

/** A file system on a thin device. */
export interface SimulatedContent {
  readonly type: 'ext4' | 'xfs' | 'btrfs';
  readonly uuid: string;
  /** Bytes. */
  readonly size: number;
}

const MAX_ID = 0xffffff;

/** What the metadata device of a pool holds; survives the removal of the pool and a reboot. */
export class SimulatedPool {
  transactionId = 0;
  heldRoot: number | undefined;
  mode: 'rw' | 'ro' | 'out_of_data_space' | 'Fail' = 'rw';
  needsCheck = false;
  dataBlocks = 0;
  metadataBlocks: number;
  /** Blocks the metadata itself takes, whatever it holds. */
  metadataUsed = 10;
  readonly blockSectors: number;
  readonly thins: Map<number, SimulatedThin> = new Map();
  /** Physical block → devices that share it. */
  readonly #shares = new Map<number, number>();
  #nextBlock = 0;

  constructor(blockSectors: number, metadataBytes: number) {
    this.blockSectors = blockSectors;
    this.metadataBlocks = Math.floor(metadataBytes / 4096);
  }

  get usedBlocks(): number {
    return this.#shares.size;
  }

  message(text: string, isActive: (id: number) => boolean): void {
    const [command = '', first, second] = text.split(' ');
    if (this.mode === 'ro' || this.mode === 'Fail') throw new Errno('EOPNOTSUPP');
    switch (command) {
      case 'create_thin':
        this.#claim(id(first), new Map(), undefined);
        return;
      case 'create_snap':
        this.#snapshot(id(first), id(second));
        return;
      case 'delete':
        this.#delete(id(first), isActive);
        return;
      case 'set_transaction_id':
        if (Number(first) !== this.transactionId) throw new Errno('EINVAL');
        this.transactionId = Number(second);
        return;
      case 'reserve_metadata_snap':
        if (this.heldRoot !== undefined) throw new Errno('EBUSY');
        this.heldRoot = 7;
        return;
      case 'release_metadata_snap':
        if (this.heldRoot === undefined) throw new Errno('EINVAL');
        this.heldRoot = undefined;
        return;
      default:
        throw new Errno('EINVAL');
    }
  }

  /** Writes blocks of a device; ENOSPC when the pool has none left. */
  write(thinId: number, blocks: Iterable<number>): void {
    const thin = this.thins.get(thinId);
    if (thin === undefined) throw new Errno('ENODATA');
    for (const block of blocks) {
      const physical = thin.blocks.get(block);
      if (physical !== undefined && this.#shares.get(physical) === 1) continue;
      if (this.usedBlocks >= this.dataBlocks) {
        this.mode = 'out_of_data_space';
        throw new Errno('ENOSPC');
      }
      if (physical !== undefined) this.#release(physical);
      this.#nextBlock += 1;
      thin.blocks.set(block, this.#nextBlock);
      this.#shares.set(this.#nextBlock, 1);
    }
  }

  discard(thinId: number): void {
    const thin = this.thins.get(thinId);
    for (const physical of thin?.blocks.values() ?? []) this.#release(physical);
    thin?.blocks.clear();
    this.#recover();
  }

  status(): string {
    if (this.mode === 'Fail') return 'Fail';
    const held = this.heldRoot ?? '-';
    const check = this.needsCheck ? 'needs_check' : '-';
    return (
      `${this.transactionId} ${this.metadataUsed + this.thins.size}/${this.metadataBlocks} ` +
      `${this.usedBlocks}/${this.dataBlocks} ${held} ${this.mode} discard_passdown queue_if_no_space ${check} 1024 `
    );
  }

  thinStatus(thinId: number): string {
    if (this.mode === 'Fail') return 'Fail';
    const blocks = this.thins.get(thinId)?.blocks ?? new Map<number, number>();
    if (blocks.size === 0) return '0 -';
    return `${blocks.size * this.blockSectors} ${(Math.max(...blocks.keys()) + 1) * this.blockSectors - 1}`;
  }

  #claim(thinId: number, blocks: Map<number, number>, content: SimulatedContent | undefined): void {
    if (this.thins.has(thinId)) throw new Errno('EEXIST');
    this.thins.set(thinId, { blocks, transactionId: this.transactionId, content });
  }

  #snapshot(thinId: number, originId: number): void {
    const origin = this.thins.get(originId);
    if (this.thins.has(thinId)) throw new Errno('EEXIST');
    if (origin === undefined) throw new Errno('ENODATA');
    this.#claim(thinId, new Map(origin.blocks), origin.content);
    for (const physical of origin.blocks.values()) {
      this.#shares.set(physical, (this.#shares.get(physical) ?? 0) + 1);
    }
  }

  #delete(thinId: number, isActive: (id: number) => boolean): void {
    if (!this.thins.has(thinId)) throw new Errno('ENODATA');
    if (isActive(thinId)) throw new Errno('EBUSY');
    this.discard(thinId);
    this.thins.delete(thinId);
  }

  #release(physical: number): void {
    const shares = (this.#shares.get(physical) ?? 1) - 1;
    if (shares === 0) this.#shares.delete(physical);
    else this.#shares.set(physical, shares);
  }

  #recover(): void {
    if (this.mode === 'out_of_data_space' && this.usedBlocks < this.dataBlocks) this.mode = 'rw';
  }
}

function id(text: string | undefined): number {
  const value = /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(value <= MAX_ID)) throw new Errno('EINVAL');
  return value;
}
