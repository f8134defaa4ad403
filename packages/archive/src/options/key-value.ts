import { LayerStoreError } from '../errors.js';

/**
 * `key=value` of a storage option: split at the first `=`, both sides trimmed, the key in lower case
 * (spec/drivers.md 1.8). @throws OPTION_INVALID without `=` or key
 */
export function parseKeyValue(text: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
  if (key === '') {
    throw new LayerStoreError(
      'OPTION_INVALID',
      `${JSON.stringify(text.slice(0, 80))} is not an option; write key=value`,
      { option: text.trim().slice(0, 80) },
    );
  }
  return { key, value: text.slice(at + 1).trim() };
}
