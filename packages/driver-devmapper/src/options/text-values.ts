/** Values of `dm.*` options as text (spec/drivers.md 2.4). Each fails with OPTION_INVALID and names the option. */
import { invalidOption, isLayerStoreError, parseBoolean, parseSize } from '@x/archive';

/** What messages say was called. */
export const WHERE = 'devicemapper options';

/** Bytes from `10G` and the like, at least one. */
export function sizeValue(option: string, text: string): number {
  const bytes = bytesOf(text);
  return bytes !== undefined && bytes > 0
    ? bytes
    : invalidOption(WHERE, option, 'a size such as 512m or 10G', text);
}

function bytesOf(text: string): number | undefined {
  try {
    return parseSize(text);
  } catch (error) {
    if (isLayerStoreError(error, 'OPTION_INVALID')) return undefined;
    throw error;
  }
}

export function booleanValue(option: string, text: string): boolean {
  return parseBoolean(text) ?? invalidOption(WHERE, option, 'true or false', text);
}

/** A whole percentage up to `most`; the sign may be demanded. */
export function percentValue(
  option: string,
  text: string,
  most: number,
  sign: 'needed' | 'optional',
): number {
  const pattern = sign === 'needed' ? /^(\d{1,3})%$/ : /^(\d{1,3})%?$/;
  const percent = Number(pattern.exec(text)?.[1] ?? Number.NaN);
  if (percent <= most) return percent;
  const example = sign === 'needed' ? 'written with its sign, such as 10%' : 'such as 10 or 10%';
  return invalidOption(WHERE, option, `a percentage from 0 to ${most} ${example}`, text);
}

/** A whole number from `least` to `most`. */
export function integerValue(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  return invalidOption(WHERE, option, `a whole number from ${least} to ${most}`, text);
}

/**
 * The values of an option that may be given more than once. In a plain object a key stands once: there a JSON array of strings
 * gives several.
 */
export function listValue(option: string, text: string): readonly string[] {
  if (text === '') return invalidOption(WHERE, option, 'not empty', text);
  if (!text.startsWith('[')) return [text];
  const list = jsonOf(text);
  const valid = Array.isArray(list) && list.every((item) => typeof item === 'string' && item !== '');
  return valid ? (list as string[]) : invalidOption(WHERE, option, 'text, or a JSON array of texts', text);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
