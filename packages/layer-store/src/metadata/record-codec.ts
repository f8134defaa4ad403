import { type CacheId, isRandomId, type MountId, parseChainId, parseDiffId } from '../ids.js';
import { checkMountName } from '../store/mount-name.js';
import type {
  IntentRecord,
  Json,
  LayerDescriptor,
  LayerRecord,
  MountRecord,
  RemovalRecord,
} from './records.js';

/*
 * Reading records back. A damaged database must not become a damaged store: every field is checked, and what fails is
 * reported with the field's name. Errors thrown here are plain; the metadata store turns them into `unreadable` entries.
 */

type Fields = { readonly [key: string]: Json };

/** Parses a layer record; throws with the reason it cannot be used. */
export function decodeLayer(key: string, text: string): LayerRecord {
  const fields = parse(text);
  const chainId = parseChainId(string(fields, 'chainId'));
  if (chainId !== key) throw new Error(`it names itself ${chainId}`);
  const parent = optional(fields, 'parent', string);
  return {
    chainId,
    diffId: parseDiffId(string(fields, 'diffId')),
    ...(parent === undefined ? {} : { parent: parseChainId(parent) }),
    cacheId: randomIdField(fields, 'cacheId') as CacheId,
    size: count(fields, 'size'),
    archiveSize: count(fields, 'archiveSize'),
    ...labelsOf(fields),
    ...descriptorOf(fields),
  };
}

/** Parses a read-write layer record; throws with the reason it cannot be used. */
export function decodeMount(key: string, text: string): MountRecord {
  const fields = parse(text);
  const name = checkMountName(string(fields, 'name'));
  if (name !== key) throw new Error(`it names itself ${name}`);
  const mountId = randomIdField(fields, 'mountId') as MountId;
  const initId = optional(fields, 'initId', string);
  if (initId !== undefined && initId !== `${mountId}-init`) throw new Error('invalid init id value');
  const parent = optional(fields, 'parent', string);
  const mountLabel = optional(fields, 'mountLabel', string);
  return {
    name,
    mountId,
    ...(initId === undefined ? {} : { initId }),
    ...(parent === undefined ? {} : { parent: parseChainId(parent) }),
    ...(mountLabel === undefined ? {} : { mountLabel }),
    ...labelsOf(fields),
  };
}

/** Parses an intent; throws with the reason it cannot be used. */
export function decodeIntent(key: string, text: string): IntentRecord {
  const fields = parse(text);
  return { id: sameId(fields, key), kind: kindOf(fields), driverIds: driverIdsOf(fields) };
}

/** Parses a removal; throws with the reason it cannot be used. */
export function decodeRemoval(key: string, text: string): RemovalRecord {
  const fields = parse(text);
  const tarSplit = optional(fields, 'tarSplit', randomIdField);
  return {
    id: sameId(fields, key),
    kind: kindOf(fields),
    driverIds: driverIdsOf(fields),
    ...(tarSplit === undefined ? {} : { tarSplit: tarSplit as CacheId }),
  };
}

/** Driver ids in a record that is otherwise beyond use. */
export function salvageDriverIds(text: string): string[] {
  let fields: Fields;
  try {
    fields = parse(text);
  } catch {
    return [];
  }
  const named = [fields.cacheId, fields.mountId, fields.initId];
  const listed = fields.driverIds;
  const candidates = Array.isArray(listed) ? [...named, ...(listed as readonly Json[])] : named;
  return candidates.filter((id): id is string => typeof id === 'string' && isRandomId(id));
}

function parse(text: string): Fields {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('it is not an object');
  return value as Fields;
}

function optional<T>(fields: Fields, key: string, read: (fields: Fields, key: string) => T): T | undefined {
  return fields[key] === undefined ? undefined : read(fields, key);
}

function string(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') throw new Error(`${key} is not a text`);
  return value;
}

function count(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${key} is not a size`);
  }
  return value;
}

function randomIdField(fields: Fields, key: string): string {
  const value = string(fields, key);
  if (!isRandomId(value) || value.endsWith('-init')) throw new Error(`invalid ${key} value`);
  return value;
}

function sameId(fields: Fields, key: string): string {
  const id = string(fields, 'id');
  if (id !== key) throw new Error(`it names itself ${id}`);
  return id;
}

function kindOf(fields: Fields): 'layer' | 'mount' {
  const kind = fields.kind;
  if (kind !== 'layer' && kind !== 'mount') throw new Error('kind is neither layer nor mount');
  return kind;
}

function driverIdsOf(fields: Fields): string[] {
  const ids = fields.driverIds;
  if (!Array.isArray(ids)) throw new Error('driverIds is not a list');
  return (ids as readonly Json[]).map((id) => {
    if (typeof id !== 'string' || !isRandomId(id))
      throw new Error('driverIds holds something that is not an id');
    return id;
  });
}

function labelsOf(fields: Fields): { labels?: Readonly<Record<string, string>> } {
  const labels = fields.labels;
  if (labels === undefined) return {};
  const isText = (value: Json): boolean => typeof value === 'string';
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels))
    throw new Error('labels is not an object');
  if (!Object.values(labels).every(isText)) throw new Error('labels holds something that is not a text');
  return { labels: labels as Readonly<Record<string, string>> };
}

function descriptorOf(fields: Fields): { descriptor?: LayerDescriptor } {
  const descriptor = fields.descriptor;
  if (descriptor === undefined) return {};
  if (typeof descriptor !== 'object' || descriptor === null || Array.isArray(descriptor)) {
    throw new Error('descriptor is not an object');
  }
  string(descriptor as Fields, 'digest');
  return { descriptor: descriptor as unknown as LayerDescriptor };
}
