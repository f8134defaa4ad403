import type { NativeFeatures } from './types.js';

/** The addon's probe functions, one per feature. */
export type FeatureProbes = { readonly [Name in keyof NativeFeatures]: () => NativeFeatures[Name] };

/** Asks the kernel when a feature is read, not before. The addon remembers the answers that cannot change. */
export function lazyFeatures(probes: FeatureProbes): NativeFeatures {
  return Object.freeze({
    get openat2(): boolean {
      return probes.openat2();
    },
    get renameat2(): boolean {
      return probes.renameat2();
    },
    get fchmodat2(): boolean {
      return probes.fchmodat2();
    },
    get fsopen(): boolean {
      return probes.fsopen();
    },
    get mountSetattr(): boolean {
      return probes.mountSetattr();
    },
    get ofdLocks(): boolean {
      return probes.ofdLocks();
    },
    get quotactlFd(): boolean {
      return probes.quotactlFd();
    },
    get ficlone(): boolean | undefined {
      return probes.ficlone();
    },
    get crc64(): NativeFeatures['crc64'] {
      return probes.crc64();
    },
  });
}
