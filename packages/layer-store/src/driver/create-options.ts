import { LayerStoreError } from '@x/archive';
import type { CreateOptions, DriverCapabilities } from './contract.js';

/** A read-only layer or a read-write one. */
export type CreateKind = 'read-only' | 'read-write';

/** Checks what a caller asks of `create` against what the driver can do; storage option keys come out in lower case. */
export function checkCreateOptions(
  options: CreateOptions,
  driver: { readonly name: string; readonly capabilities: DriverCapabilities },
): CreateOptions {
  for (const option of Object.keys(options)) {
    if (option === 'mountLabel' || option === 'storageOpt') continue;
    throw new LayerStoreError('OPTION_UNKNOWN', `create has no option '${option}'`, { option });
  }
  const { mountLabel, storageOpt } = options;
  return {
    ...(mountLabel === undefined || mountLabel === '' ? {} : { mountLabel: checkLabel(mountLabel, driver) }),
    ...(storageOpt === undefined ? {} : { storageOpt: checkStorageOpt(storageOpt, driver) }),
  };
}

function checkLabel(
  label: unknown,
  driver: { readonly name: string; readonly capabilities: DriverCapabilities },
): string {
  if (typeof label !== 'string') {
    throw new LayerStoreError('OPTION_INVALID', 'mountLabel must be a string', { option: 'mountLabel' });
  }
  if (driver.capabilities.mountLabels) return label;
  throw new LayerStoreError('DRIVER_NOT_SUPPORTED', `the ${driver.name} driver has no mount labels`, {
    driver: driver.name,
    option: 'mountLabel',
  });
}

function checkStorageOpt(
  storageOpt: unknown,
  driver: { readonly name: string; readonly capabilities: DriverCapabilities },
): Readonly<Record<string, string>> {
  if (typeof storageOpt !== 'object' || storageOpt === null) {
    throw new LayerStoreError('OPTION_INVALID', 'storageOpt must be an object of strings', {
      option: 'storageOpt',
    });
  }
  const checked: Record<string, string> = {};
  for (const [key, value] of Object.entries(storageOpt)) {
    if (typeof value !== 'string') {
      throw new LayerStoreError('OPTION_INVALID', `storage option '${key}' must be a string`, {
        option: key,
      });
    }
    checked[key.trim().toLowerCase()] = value.trim();
  }
  if (checked.size !== undefined && !driver.capabilities.quota) {
    throw new LayerStoreError(
      'DRIVER_QUOTA_NOT_SUPPORTED',
      `the ${driver.name} driver cannot limit the size of a layer: leave storage option 'size' out`,
      { driver: driver.name, option: 'size' },
    );
  }
  return checked;
}
