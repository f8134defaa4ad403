import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { DriverFactory, DriverInit } from '@x/layer-store';

const SECTORS_OF_MIB = 2048;
/** Megabytes of a pool's devices. */
const DATA = 768;
const METADATA = 16;
/** How many homes may have a pool at a time. */
const SLOTS = 5;
/** What the kernel takes for "no pool here yet" (thin-provisioning.rst). Bytes. */
const BLANK = 4096;

interface Slot {
  readonly data: string;
  readonly metadata: string;
  home: string | undefined;
}

/**
 * devicemapper over plain block devices instead of loop files: every home gets two pieces of one disk, cut out with linear
 * targets, for as long as it exists. The options belong to the home, so a home that is opened again has the same ones.
 */
export class ThinPoolDisks {
  readonly #factory: DriverFactory;
  readonly #slots: readonly Slot[];

  constructor(factory: DriverFactory, disk: string) {
    this.#factory = factory;
    this.#slots = Array.from({ length: SLOTS }, (_, index): Slot => {
      const start = index * (DATA + METADATA);
      return {
        metadata: cutOut(`conformance-metadata-${index}`, disk, start, METADATA),
        data: cutOut(`conformance-data-${index}`, disk, start + METADATA, DATA),
        home: undefined,
      };
    });
  }

  get factory(): DriverFactory {
    return {
      name: this.#factory.name,
      probe: (home) => this.#factory.probe(home),
      create: (init) => this.#factory.create({ ...init, options: this.#optionsFor(init) }),
    };
  }

  /** Gives the disk back. */
  remove(): void {
    for (let index = 0; index < SLOTS; index++) {
      for (const kind of ['data', 'metadata'])
        execFileSync('dmsetup', ['remove', `conformance-${kind}-${index}`]);
    }
  }

  #optionsFor({ home, options = {} }: DriverInit): Readonly<Record<string, string>> {
    const slot = this.#slots.find((candidate) => candidate.home === home) ?? this.#claim(home);
    return { ...options, 'dm.datadev': slot.data, 'dm.metadatadev': slot.metadata };
  }

  #claim(home: string): Slot {
    const slot = this.#slots.find((candidate) => candidate.home === undefined || !existsSync(candidate.home));
    if (slot === undefined) throw new Error(`more than ${SLOTS} homes at a time: ${home}`);
    slot.home = home;
    const disk = openSync(slot.metadata, 'r+');
    try {
      writeSync(disk, Buffer.alloc(BLANK));
      fsyncSync(disk);
    } finally {
      closeSync(disk);
    }
    return slot;
  }
}

/** Path of a new device that shows so many megabytes of the disk. */
function cutOut(name: string, disk: string, start: number, size: number): string {
  const [from, length] = [start * SECTORS_OF_MIB, size * SECTORS_OF_MIB];
  execFileSync('dmsetup', ['create', name, '--table', `0 ${length} linear ${disk} ${from}`]);
  const minor = execFileSync('dmsetup', ['info', '-c', '--noheadings', '-o', 'minor', name])
    .toString()
    .trim();
  return `/dev/dm-${minor}`;
}
