import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '@x/archive';
import type { DriverId } from '@x/layer-store';
import { LINKS, parseLower, parseLowerIds } from './lower-list.js';
import { isShortLink, type ShortLink } from './short-link.js';

/** Layers being made and layers being deleted; ids begin with a letter or digit. */
export const STAGED = '.tmp-';
export const TRASHED = '.trash-';

/** Marks a layer of an image. */
export const IMAGE = 'image';

const RESERVED: ReadonlySet<string> = new Set([LINKS, 'staging', 'tempdirs', 'backingFsBlockDev']);
const LINK_TARGET = /^\.\.\/([^/]+)\/diff$/;

/**
 * Names in the home of a multi-lower driver, and its small files (spec/drivers.md 4.6). The calls are synchronous: each takes
 * a few microseconds, a tenth of what handing it to another thread would.
 */
export class LayerFiles {
  readonly home: string;

  constructor(home: string) {
    this.home = home;
  }

  path(id: string, ...names: readonly string[]): string {
    return join(this.home, id, ...names);
  }
  diff(id: string): string {
    return `${this.home}/${id}/diff`;
  }
  merged(id: string): string {
    return `${this.home}/${id}/merged`;
  }
  linkPath(link: ShortLink): string {
    return `${this.home}/${LINKS}/${link}`;
  }

  /** A layer is a directory with a `diff` directory in it. */
  exists(id: string): boolean {
    return lstatSync(this.diff(id), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  /** Every layer, sorted. */
  list(): DriverId[] {
    return readdirSync(this.home, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !isReserved(entry.name))
      .map((entry) => entry.name)
      .filter((name): name is DriverId => this.exists(name))
      .sort();
  }

  /** Names in the home that begin with a prefix. */
  leftovers(prefix: string): string[] {
    return readdirSync(this.home).filter((name) => name.startsWith(prefix));
  }

  /** The layer's short link as its `link` file has it. Undefined: lost. */
  link(id: string): ShortLink | undefined {
    const text = this.#read(id, 'link')?.trim();
    return text !== undefined && isShortLink(text) ? text : undefined;
  }

  /** `absent` for a layer without parent, undefined where the file is damaged. */
  lower(id: string): readonly ShortLink[] | 'absent' | undefined {
    const text = this.#read(id, 'lower');
    return text === undefined ? 'absent' : parseLower(text);
  }

  /** As `lower`, for the ids of the ancestors; `absent` also in homes that Docker made. */
  lowerIds(id: string): readonly DriverId[] | 'absent' | undefined {
    const text = this.#read(id, 'lower-ids');
    return text === undefined ? 'absent' : parseLowerIds(text);
  }

  /** Whether the layer has had a child: it is mounted read-only from then on. */
  isCommitted(id: string): boolean {
    return lstatSync(this.path(id, 'committed'), { throwIfNoEntry: false }) !== undefined;
  }

  /** True if it was not marked before. */
  markCommitted(id: string): boolean {
    // An exception costs more than a look.
    if (this.isCommitted(id)) return false;
    try {
      closeSync(openSync(this.path(id, 'committed'), 'wx', 0o600));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  unmarkCommitted(id: string): void {
    unlinkIfThere(this.path(id, 'committed'));
  }

  /** Whether the layer was made for an image, not to be written to by a container. Docker's layers do not say. */
  isImage(id: string): boolean {
    return lstatSync(this.path(id, IMAGE), { throwIfNoEntry: false }) !== undefined;
  }

  /** The names in `l/` with the layer each leads to; undefined for one that leads elsewhere or is no link. */
  links(): Map<string, DriverId | undefined> {
    const found = new Map<string, DriverId | undefined>();
    for (const name of readdirSync(join(this.home, LINKS))) found.set(name, this.linkTarget(name));
    return found;
  }

  /** The layer that a name in `l/` leads to. */
  linkTarget(name: string): DriverId | undefined {
    try {
      const id = LINK_TARGET.exec(readlinkSync(join(this.home, LINKS, name)))?.[1];
      return id === undefined || !isShortLink(name) ? undefined : (id as DriverId);
    } catch {
      return undefined;
    }
  }

  /** False if the name is taken. */
  makeLink(link: ShortLink, id: DriverId): boolean {
    try {
      symlinkSync(`../${id}/diff`, this.linkPath(link));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** Never anything but a short link: an empty name would be `l/` itself. Absent is done. */
  removeLink(link: ShortLink): void {
    if (isShortLink(link)) unlinkIfThere(this.linkPath(link));
  }

  #read(id: string, name: string): string | undefined {
    try {
      return readFileSync(`${this.home}/${id}/${name}`, 'latin1');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Names in the home that no layer can have. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
