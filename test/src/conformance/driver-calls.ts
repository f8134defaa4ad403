import type { Driver, DriverFactory } from '@x/layer-store';

/** A call of a driver, as the report names it. */
export interface DriverCall {
  /** `create("Snap", "Base")` */
  readonly what: string;
}

/** The call that a failure has to do with. */
export interface CallBehind {
  readonly call: DriverCall;
  /** It had ended well: what is wrong with it showed afterwards. */
  readonly ended: boolean;
}

/** Told before a call begins; waits until it may. */
export type BeforeCall = (call: DriverCall) => Promise<void> | void;

const RECENT = 12;
/** Methods of the contract that give a promise; everything else of a driver is passed through. */
const RECORDED = new Set<PropertyKey>([
  'open',
  'close',
  'create',
  'createReadWrite',
  'remove',
  'get',
  'put',
  'withMount',
  'exists',
  'list',
  'status',
  'metadata',
  'changes',
  'diffSize',
  'applyDiff',
  'fileSource',
  'usage',
  'sync',
  'cleanup',
]);

/** Which driver calls a check has made, and which of them failed with what. */
export class DriverCalls {
  readonly #recent: DriverCall[] = [];
  readonly #failed = new WeakMap<object, DriverCall>();
  #running: DriverCall[] = [];
  /** Set by a run that looks at the home before every call. */
  before: BeforeCall | undefined;

  /** The latest calls, oldest first. */
  get recent(): readonly string[] {
    return this.#recent.map(({ what }) => what);
  }

  /** The call that threw an error, or an error behind it; otherwise one that is under way, or the last that ended. */
  behind(error: unknown): CallBehind | undefined {
    for (let cause: unknown = error; typeof cause === 'object' && cause !== null; ) {
      const call = this.#failed.get(cause);
      if (call !== undefined) return { call, ended: false };
      cause = 'cause' in cause ? cause.cause : undefined;
    }
    const [running] = this.#running;
    if (running !== undefined) return { call: running, ended: false };
    const last = this.#recent.at(-1);
    return last === undefined ? undefined : { call: last, ended: true };
  }

  /** A driver whose calls are recorded here. Reads and writes of other properties go to the driver. */
  record(driver: Driver, name = ''): Driver {
    return new Proxy(driver, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key !== 'diff' && !RECORDED.has(key)) return value.bind(target);
        return (...args: unknown[]): unknown =>
          this.#call(`${name}${String(key)}(${args.map(shownArgument).join(', ')})`, key === 'diff', () =>
            Reflect.apply(value, target, args),
          );
      },
    });
  }

  /** A factory whose calls are recorded here. */
  recordFactory(factory: DriverFactory): DriverFactory {
    const { name, deprecated } = factory;
    return {
      name,
      ...(deprecated === undefined ? {} : { deprecated }),
      probe: (home) => this.step(`factory.probe(${shownArgument(home)})`, () => factory.probe(home)),
      create: (init) =>
        this.#call(`factory.create(${shownArgument(init)})`, true, () => factory.create(init)) as Driver,
    };
  }

  /** Records a step that is more than one driver call. */
  step<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#call(what, false, work) as Promise<T>;
  }

  #call(what: string, immediate: boolean, work: () => unknown): unknown {
    const call = { what };
    this.#recent.push(call);
    if (this.#recent.length > RECENT) this.#recent.shift();
    // `diff` and `factory.create` give their results at once; what a diff does is seen while it is read.
    if (immediate) return this.#begin(call, work);
    return this.#track(call, work);
  }

  #begin(call: DriverCall, work: () => unknown): unknown {
    try {
      return work();
    } catch (error) {
      this.#blame(error, call);
      throw error;
    }
  }

  async #track(call: DriverCall, work: () => unknown): Promise<unknown> {
    this.#running.push(call);
    try {
      if (this.before !== undefined) await this.before(call);
      return await work();
    } catch (error) {
      this.#blame(error, call);
      throw error;
    } finally {
      this.#running = this.#running.filter((other) => other !== call);
    }
  }

  #blame(error: unknown, call: DriverCall): void {
    if (typeof error !== 'object' || error === null || this.#failed.has(error)) return;
    this.#failed.set(error, call);
  }
}

function shownArgument(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'function';
  if (typeof value !== 'object' || value === null) return String(value);
  if ('aborted' in value) return 'signal';
  if ('unpack' in value) return 'layer';
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${shownArgument(field)}`);
  return `{ ${fields.join(', ')} }`.replace('{  }', '{}');
}
