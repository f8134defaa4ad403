import { it } from '@jest/globals';
import { loadNative } from '@x/native';
import { findProgram } from '../program/find-program.js';

/** Something of the machine that a test needs, and why it is not there, if it is not. */
export interface Capability {
  readonly name: string;
  readonly missing: string | undefined;
}

export function rootPrivilege(): Capability {
  return { name: 'root', missing: process.getuid?.() === 0 ? undefined : 'not running as root' };
}

export function nativeAddon(): Capability {
  const native = loadNative();
  return { name: 'native addon', missing: native.available ? undefined : native.reason };
}

export function program(name: string, hint: string): Capability {
  return {
    name,
    missing: findProgram(name) === undefined ? `${name} is not installed (${hint})` : undefined,
  };
}

export function dockerStore(): Capability {
  return program('moby-layer', 'run ../shared/peers/build-moby-layer.sh');
}

/** How a test is declared: a name, a body, a time limit in milliseconds. */
export type DeclareTest = (name: string, body: () => Promise<void>, timeout?: number) => void;

/**
 * `it` when all capabilities are there; otherwise a skip that prints its reason and is counted — and in CI (CI=true) a failing test,
 * because there a missing capability means that something was not tested.
 */
export function itWith(...capabilities: readonly Capability[]): DeclareTest {
  const missing = capabilities.filter((capability) => capability.missing !== undefined);
  if (missing.length === 0) return it;
  const reason = missing.map((capability) => capability.missing).join('; ');
  if (process.env.CI === 'true') {
    return (name) => {
      it(name, () => {
        throw new Error(`a capability is missing in CI: ${reason}`);
      });
    };
  }
  console.warn(`skipped: ${reason}`);
  return it.skip;
}
