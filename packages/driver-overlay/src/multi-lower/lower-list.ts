import type { DriverId } from '@x/layer-store';
import { isShortLink, type ShortLink } from './short-link.js';

/** Directory of the short links. */
export const LINKS = 'l';
const PREFIX = `${LINKS}/`;
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/;

/** The text of a `lower` file: `l/AAA:l/BBB`, nearest first. */
export function formatLower(links: readonly ShortLink[]): string {
  return links.map((link) => PREFIX + link).join(':');
}

/** Undefined: no such text, an empty one included. */
export function parseLower(text: string): ShortLink[] | undefined {
  const links: ShortLink[] = [];
  for (const name of text.trim().split(':')) {
    const link = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
    if (!isShortLink(link)) return undefined;
    links.push(link);
  }
  return links;
}

/** The text of a `lower-ids` file: one id a line, nearest first. With it every link can be made again. */
export function formatLowerIds(ids: readonly DriverId[]): string {
  return ids.map((id) => `${id}\n`).join('');
}

/** Undefined: no such text, an empty or a cut off one included. */
export function parseLowerIds(text: string): DriverId[] | undefined {
  if (!text.endsWith('\n')) return undefined;
  const ids = text.slice(0, -1).split('\n');
  return ids.every((id): id is DriverId => ID.test(id)) ? ids : undefined;
}
