import type { MountEntry } from '@x/layer-store/driver-kit';
import { isFuse } from '../fuse/fuse-mounts.js';
import { MountProgram } from '../fuse/mount-program.js';
import { escapeMountPath } from './mount-plan.js';
import type { OverlayMounter, OverlayMountRequest } from './overlay-mounter.js';

/** Docker's limit: 128 layers below. Options have no page to fit in, but each layer makes every lookup slower. */
const PROGRAM_LAYERS = 129;

/** Has a program such as fuse-overlayfs make the merged views. */
export class ProgramMounter implements OverlayMounter {
  readonly whiteouts = 'aufs';
  readonly maxLayers: number = PROGRAM_LAYERS;
  readonly #program: MountProgram;
  readonly #options: readonly string[];

  constructor(program: string, mountOptions: readonly string[]) {
    this.#program = new MountProgram(program);
    this.#options = mountOptions;
  }

  /** fuse-overlayfs makes names absolute before it splits them at colons. */
  refusal(home: string): string | undefined {
    return home.includes(':')
      ? `its name has a colon, which ${this.#program.program} cannot take`
      : undefined;
  }

  async mount({ home, target, lowers, upper, work, label }: OverlayMountRequest): Promise<void> {
    const options = [`lowerdir=${lowers.map(escapeMountPath).join(':')}`];
    if (upper !== undefined && work !== undefined) options.push(`upperdir=${upper}`, `workdir=${work}`);
    if (label !== undefined) options.push(`context="${label}"`);
    await this.#program.mount({ options: [...options, ...this.#options].join(','), target, cwd: home });
  }

  unmount(target: string): Promise<void> {
    return this.#program.unmount(target, { lazy: true });
  }

  unmountIdle(target: string): Promise<void> {
    return this.#program.unmount(target, { lazy: false });
  }

  async setReadOnly(): Promise<void> {}

  recognizes(entry: MountEntry): boolean {
    return isFuse(entry);
  }
}
