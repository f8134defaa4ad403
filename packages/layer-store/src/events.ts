import { channel } from 'node:diagnostics_channel';

/**
 * What the store publishes on `node:diagnostics_channel`. Every message has the store's root; part of the API.
 */
export interface StoreEvents {
  'layer-store:open': { readonly layers: number; readonly mounts: number; readonly milliseconds: number };
  'layer-store:close': object;
  'layer-store:register': {
    readonly chainId: string;
    readonly diffId: string;
    readonly parent: string | undefined;
    readonly bytes: number;
    readonly milliseconds: number;
    /** The layer was there already. */
    readonly existing: boolean;
  };
  'layer-store:register-failed': { readonly parent: string | undefined; readonly error: unknown };
  'layer-store:removed': { readonly chainId: string };
  'layer-store:removal-failed': { readonly id: string; readonly error: unknown };
  'layer-store:mount-created': { readonly name: string; readonly mountId: string };
  'layer-store:mount-removed': { readonly name: string; readonly mountId: string };
  'layer-store:broken': { readonly id: string; readonly problems: readonly string[] };
  'layer-store:recovered': { readonly intents: number; readonly removals: number };
}

/** Name of a channel. */
export type StoreChannel = keyof StoreEvents;

/** Publishes if anybody listens. */
export function publish<Name extends StoreChannel>(
  name: Name,
  root: string,
  message: StoreEvents[Name],
): void {
  const target = channel(name);
  if (target.hasSubscribers) target.publish({ root, ...message });
}

/** The part of pino's interface that the store uses; any logger of that shape can be given. */
export interface StoreLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing. */
export const SILENT_LOGGER: StoreLogger = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});
