import { mkdir, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { VfsDriver } from '@x/driver-vfs';
import { type CloseOptions, type Driver, type DriverFactory, LayerStore } from '@x/layer-store';
import type { RandomOptions, SubjectFacts, Workbench } from './check.js';
import type { DriverCalls } from './driver-calls.js';
import { type CheckedSubject, createDriver } from './subject.js';

/** What a bench is made with. */
export interface WorkbenchInit {
  readonly subject: CheckedSubject;
  readonly facts: SubjectFacts;
  /** Fresh, and the bench's own. */
  readonly directory: string;
  readonly calls: DriverCalls;
  readonly signal: AbortSignal;
}

/**
 * The bench of one run of one check. `close` closes every driver and store it gave out; the directory is the runner's to
 * remove. Its methods are bound, so that a check can take them out of it.
 */
export class LiveWorkbench implements Workbench {
  readonly facts: SubjectFacts;
  readonly factory: DriverFactory;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly random: RandomOptions;
  readonly #init: WorkbenchInit;
  readonly #stores: LayerStore[] = [];
  /** Under test and references, in the order they were made. */
  readonly #drivers = new Set<Driver>();
  #driver: Driver;

  private constructor(init: WorkbenchInit, home: string, driver: Driver) {
    this.#init = init;
    this.facts = init.facts;
    this.factory = init.calls.recordFactory(init.subject.factory);
    this.home = home;
    this.signal = init.signal;
    this.random = init.subject.random;
    this.#driver = driver;
    this.#drivers.add(driver);
  }

  /** A bench whose driver is not open yet. */
  static create(init: WorkbenchInit): LiveWorkbench {
    // The name that a store gives a driver's home.
    const home = path.join(init.directory, init.subject.factory.name);
    return new LiveWorkbench(init, home, init.calls.record(createDriver(init.subject, home)));
  }

  get driver(): Driver {
    return this.#driver;
  }

  readonly scratch = (): Promise<string> => mkdtemp(path.join(this.#init.directory, 'scratch-'));

  readonly reopen = async (options: CloseOptions = {}): Promise<Driver> => {
    await this.#driver.close(options);
    this.#drivers.delete(this.#driver);
    this.#driver = this.#make(this.home, '');
    await this.#driver.open();
    return this.#driver;
  };

  readonly another = async (home?: string): Promise<Driver> => {
    return this.#make(home ?? path.join(await this.scratch(), this.#init.subject.factory.name), 'another.');
  };

  readonly vfs = async (): Promise<Driver> => {
    const driver = this.#init.calls.record(
      new VfsDriver({ home: path.join(await this.scratch(), 'vfs') }),
      'vfs.',
    );
    this.#drivers.add(driver);
    await driver.open();
    return driver;
  };

  readonly openStore = async (): Promise<LayerStore> => {
    const root = path.join(await this.scratch(), 'store');
    await mkdir(root, { mode: 0o700 });
    const driver = this.#init.calls.record(
      createDriver(this.#init.subject, path.join(root, this.#init.subject.factory.name)),
      'store.driver.',
    );
    const store = await LayerStore.open({ root, driver });
    this.#stores.push(store);
    return store;
  };

  readonly call = <T>(what: string, work: () => Promise<T>): Promise<T> => this.#init.calls.step(what, work);

  /** The first failure is thrown, after everything was tried. */
  async close(): Promise<void> {
    const closing = [...this.#stores, ...this.#drivers].map((each) => () => each.close());
    const failures: unknown[] = [];
    for (const close of closing) await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  #make(home: string, name: string): Driver {
    const driver = this.#init.calls.record(createDriver(this.#init.subject, home), name);
    this.#drivers.add(driver);
    return driver;
  }
}
