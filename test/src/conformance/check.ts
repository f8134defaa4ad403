import type { CloseOptions, Driver, DriverCapabilities, DriverFactory, LayerStore } from '@x/layer-store';

/**
 * Something of the machine, not of the driver, that a check cannot do without. Where it is missing the check does not apply; in CI
 * (CI=true) that is a failure, because something was not tested. `file-system` is what a check finds out while it runs.
 */
export type MachineNeed = 'root' | 'native' | 'file-system';

/** How long a check may take when it does not say. Milliseconds. */
export const DEFAULT_TIMEOUT = 60_000;

/** What is known of driver and machine before a check runs. */
export interface SubjectFacts {
  readonly driverName: string;
  readonly capabilities: DriverCapabilities;
  /** uid 0 over all ids, not the root of a user namespace: owners, devices and `trusted.*` xattrs can be set. */
  readonly root: boolean;
  /** The addon is loaded: xattrs, device nodes and nanosecond times can be set and read. */
  readonly native: boolean;
  /** The subject's driver options, as text. */
  readonly options: Readonly<Record<string, string>>;
  /** From where another process can load the driver. Without it checks that kill a process do not apply. */
  readonly module: DriverModule | undefined;
}

/** An export that is a `DriverFactory`. */
export interface DriverModule {
  /** For `import()`. */
  readonly url: string;
  /** `default`, or the name of the export. */
  readonly export: string;
}

/** How much is tried at random, and where to begin: a failure says with which values it comes again. */
export interface RandomOptions {
  readonly runs?: number;
  readonly seed?: number;
  readonly path?: string;
  /** Kinds of edits left out (`Edit` in edits/edit.ts), or `directory-times` or `special-modes`: what a mount program is known to get wrong. */
  readonly without?: readonly string[];
  /** As root, only such edits as an ordinary user can do. */
  readonly asUser?: boolean;
}

/** What a check works with: an open driver on a fresh home, and ways to get more. Everything it hands out is undone afterwards. */
export interface Workbench {
  /** The driver under test, open. Its calls are recorded for the report. */
  readonly driver: Driver;
  readonly facts: SubjectFacts;
  /** How the driver is made; `another` does it with the subject's options. */
  readonly factory: DriverFactory;
  /** The driver's directory. */
  readonly home: string;
  /** Aborted when the check runs out of time. */
  readonly signal: AbortSignal;
  readonly random: RandomOptions;
  /** A new directory beside the home, removed afterwards. */
  readonly scratch: () => Promise<string>;
  /** Closes the driver and opens a new instance on the same home; `driver` is that one from then on. */
  readonly reopen: (options?: CloseOptions) => Promise<Driver>;
  /** A further instance of the subject, not open, on a home that is fresh unless given. It is closed afterwards. */
  readonly another: (home?: string) => Promise<Driver>;
  /** The reference driver, open, on a fresh home. */
  readonly vfs: () => Promise<Driver>;
  /** A store with a driver of the subject, both on fresh directories. */
  readonly openStore: () => Promise<LayerStore>;
  /** Names a step in the report, for work that is more than one driver call. */
  readonly call: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}

/** One thing that a driver has to do. */
export interface Check {
  readonly family: string;
  /** A sentence that is true of a driver that passes; an upstream test's name stands behind it in parentheses. */
  readonly name: string;
  readonly needs?: readonly MachineNeed[];
  /** Text: why the check does not apply to such a driver. */
  applicable?(facts: SubjectFacts): string | undefined;
  /** Milliseconds; default {@link DEFAULT_TIMEOUT}. */
  readonly timeout?: number;
  run(bench: Workbench): Promise<void>;
}
