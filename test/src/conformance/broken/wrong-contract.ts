import { chmod } from 'node:fs/promises';
import type { Change } from '@x/archive';
import { VfsDriver } from '@x/driver-vfs';
import type {
  CreateOptions,
  DiffStream,
  DriverId,
  DriverUsage,
  FileSource,
  GetOptions,
  SignalOptions,
} from '@x/layer-store';
import { type BrokenDriver, claim, factoryOf } from './broken-driver.js';

/** Claims, options, states and answers that are not what the contract says. */
export const WRONG_CONTRACT: readonly BrokenDriver[] = [
  {
    breaks: 'changes its capabilities when it is opened',
    factory: factoryOf(
      class extends VfsDriver {
        override async open(): Promise<void> {
          claim(this, { maxDepth: 77 });
          await super.open();
        }
      },
    ),
    check: 'contract: the manifest of capabilities',
    reason: /capabilities before open: expected .*77.* found .*1024/s,
  },
  {
    breaks: 'is called otherwise than its factory',
    factory: { ...factoryOf(VfsDriver), name: 'better-vfs' },
    check: 'contract: the driver is called what its factory is called',
    reason: /name: expected 'better-vfs', found 'vfs'/,
  },
  {
    breaks: 'claims quotas and limits nothing',
    factory: factoryOf(
      class extends VfsDriver {
        constructor(options: { readonly home: string }) {
          super(options);
          claim(this, { quota: true });
        }
        protected override _checkStorageOptions(): void {}
      },
    ),
    check: 'graphtest: a read-write layer takes what its size allows and no more',
    reason: /75 MiB went into a layer of 50/,
  },
  {
    breaks: 'takes storage options that nobody knows',
    factory: factoryOf(
      class extends VfsDriver {
        protected override _checkStorageOptions(): void {}
      },
    ),
    check: 'contract: unknown options of create are refused',
    reason: /create with an unknown storage option: expected a failure/,
  },
  {
    breaks: 'takes a size without having quotas',
    factory: factoryOf(
      class extends VfsDriver {
        override createReadWrite(id: string, parent?: string): Promise<void> {
          return super.createReadWrite(id, parent);
        }
      },
    ),
    check: 'contract: without the quota capability a size is refused',
    reason: /createReadWrite with size 50M: expected a failure/,
  },
  {
    breaks: 'takes a mount label and does nothing with it',
    factory: factoryOf(
      class extends VfsDriver {
        override get(id: string, options: GetOptions = {}): Promise<string> {
          const { mountLabel: _ignored, ...others } = options;
          return super.get(id, others);
        }
      },
    ),
    check: 'contract: without the mountLabels capability a label is refused',
    reason: /get with a label: expected a failure/,
  },
  {
    breaks: 'answers for ids that are none',
    factory: factoryOf(
      class extends VfsDriver {
        override exists(id: string): Promise<boolean> {
          return super.exists(id).catch(() => false);
        }
      },
    ),
    check: 'contract: malformed ids are refused by every method',
    reason: /exists of "": expected a failure/,
  },
  {
    breaks: 'takes a parent that does not exist for none',
    factory: factoryOf(
      class extends VfsDriver {
        override async changes(id: string, parent?: string, options?: SignalOptions): Promise<Change[]> {
          const known = parent !== undefined && (await this.exists(parent)) ? parent : undefined;
          return super.changes(id, known, options);
        }
      },
    ),
    check: 'contract: ids that are not known are refused',
    reason: /changes with an unknown parent: expected a failure/,
  },
  {
    breaks: 'has a home that everybody can enter',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _open(): Promise<void> {
          await super._open();
          await chmod(this.home, 0o755);
        }
      },
    ),
    check: 'contract: a home is made by open',
    reason: /others' permissions on the home: expected 0, found 5/,
  },
  {
    breaks: 'still answers when it is closed',
    factory: factoryOf(
      class extends VfsDriver {
        override list(): Promise<DriverId[]> {
          return this._list();
        }
      },
    ),
    check: 'contract: a closed driver refuses everything',
    reason: /list after close: expected a failure/,
  },
  {
    breaks: 'does not look at the signal of create',
    factory: factoryOf(
      class extends VfsDriver {
        override create(id: string, parent?: string, options?: CreateOptions): Promise<void> {
          return super.create(id, parent, options);
        }
      },
    ),
    check: 'contract: create with a signal that is aborted already',
    reason: /create: expected a failure/,
  },
  {
    breaks: 'holds on to the layers of a diff that was closed',
    factory: factoryOf(
      class extends VfsDriver {
        override diff(id: string, parent?: string, options?: SignalOptions): DiffStream {
          const steps = super.diff(id, parent, options)[Symbol.asyncIterator]();
          const close = (): Promise<void> => Promise.resolve();
          return {
            [Symbol.asyncIterator]: () => ({ next: () => steps.next() }),
            close,
            [Symbol.asyncDispose]: close,
          };
        }
      },
    ),
    check: 'contract: a diff that is not read to its end lets go',
    reason: /in use and cannot be removed/,
  },
  {
    breaks: 'says that layers take nothing',
    factory: factoryOf(
      class extends VfsDriver {
        protected override _usage(): Promise<DriverUsage> {
          return Promise.resolve({ bytes: 0 });
        }
      },
    ),
    check: 'contract: usage counts the bytes of a layer',
    reason: /added 0 bytes to the usage/,
  },
  {
    breaks: 'has a file source without the files',
    factory: factoryOf(
      class extends VfsDriver {
        protected override async _fileSource(id: DriverId): Promise<FileSource> {
          return { ...(await super._fileSource(id)), roots: [] };
        }
      },
    ),
    check: 'contract: a file source has every file of a layer',
    reason: /content of d\/both: expected 'new', found undefined/,
  },
  {
    breaks: 'throws from its probe instead of saying why it cannot run',
    factory: {
      ...factoryOf(VfsDriver),
      probe: (home) =>
        home.startsWith('/proc/')
          ? Promise.reject(new TypeError('cannot look at that'))
          : VfsDriver.probe(home),
    },
    check: 'contract: probe never throws',
    reason: /cannot look at that/,
  },
  {
    breaks: 'takes driver options that nobody knows',
    factory: factoryOf(VfsDriver),
    check: 'contract: a factory refuses options that the driver does not know',
    reason: /an unknown driver option: expected a failure/,
  },
];
