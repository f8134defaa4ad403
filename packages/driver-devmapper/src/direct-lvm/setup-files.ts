import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, LayerStoreError } from '@x/archive';
import { syncDirectory, writeFileDurably } from '@x/layer-store/driver-kit';
import type { DirectLvmConfig } from './direct-lvm-config.js';

const CONFIG = 'setup-config.json';
const PROGRESS = 'setup-progress.json';
const MODE = 0o600;

/** How far a set-up got that has not ended. */
export interface SetupProgress {
  readonly device: string;
  /** The step that was begun last, in words. */
  readonly step: string;
}

/** Path of the configuration that was set up. */
export function configPath(home: string): string {
  return join(home, CONFIG);
}

/** Path of the record of a set-up under way. */
export function progressPath(home: string): string {
  return join(home, PROGRESS);
}

/** The configuration as Docker writes it: capitalised names; `MetaDataSize` only where it is given. */
export function encodeConfig(config: DirectLvmConfig): string {
  const { metadataSize } = config;
  return JSON.stringify({
    Device: config.device,
    ThinpPercent: config.thinpPercent,
    ThinpMetaPercent: config.thinpMetaPercent,
    AutoExtendPercent: config.autoExtendPercent,
    AutoExtendThreshold: config.autoExtendThreshold,
    ...(metadataSize === '' ? {} : { MetaDataSize: metadataSize }),
  });
}

/** undefined: an empty configuration, as Docker may have stored it. @throws DRIVER_FAILED */
export function decodeConfig(text: string, path: string): DirectLvmConfig | undefined {
  const fields = parseObject(text, path);
  const config: DirectLvmConfig = {
    device: textOf(fields.Device),
    thinpPercent: numberOf(fields.ThinpPercent),
    thinpMetaPercent: numberOf(fields.ThinpMetaPercent),
    autoExtendPercent: numberOf(fields.AutoExtendPercent),
    autoExtendThreshold: numberOf(fields.AutoExtendThreshold),
    metadataSize: textOf(fields.MetaDataSize),
  };
  return config.device === '' ? undefined : config;
}

export async function readConfig(home: string): Promise<DirectLvmConfig | undefined> {
  const path = configPath(home);
  const text = await readOptional(path);
  return text === undefined ? undefined : decodeConfig(text, path);
}

export async function writeConfig(home: string, config: DirectLvmConfig): Promise<void> {
  await writeFileDurably(configPath(home), encodeConfig(config), MODE);
}

export async function readProgress(home: string): Promise<SetupProgress | undefined> {
  const path = progressPath(home);
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  const { device, step } = parseObject(text, path);
  return { device: textOf(device), step: textOf(step) };
}

export async function writeProgress(home: string, progress: SetupProgress): Promise<void> {
  await writeFileDurably(progressPath(home), JSON.stringify(progress), MODE);
}

export async function removeProgress(home: string): Promise<void> {
  await rm(progressPath(home), { force: true });
  await syncDirectory(home);
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new LayerStoreError(
    'DRIVER_FAILED',
    `${path} is no JSON object: put it back from a copy; without it nobody knows how the pool over LVM was made`,
    { driver: 'devicemapper', path },
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
