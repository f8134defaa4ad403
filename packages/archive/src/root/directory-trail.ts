/** Open directories along one path, reused for the next path: sorted paths share most of their parents. */
import type { OpenDirectory } from './root-directory.js';

/** Components are opened one from the other and never followed: the paths come from a walk that followed nothing. */
export class DirectoryTrail implements Disposable {
  readonly #top: OpenDirectory;
  readonly #steps: { readonly name: string; readonly directory: OpenDirectory }[] = [];

  /** @param top stays the caller's */
  constructor(top: OpenDirectory) {
    this.#top = top;
  }

  /**
   * The directory at a clean relative latin-1 path, open until the next call.
   * @throws what the open throws: ENOENT, ENOTDIR or ELOOP when the path is no longer one of directories
   */
  enter(path: string): OpenDirectory {
    const parts = path === '' ? [] : path.split('/');
    let shared = 0;
    while (
      shared < this.#steps.length &&
      shared < parts.length &&
      this.#steps[shared]?.name === parts[shared]
    ) {
      shared++;
    }
    while (this.#steps.length > shared) this.#steps.pop()?.directory.close();
    let directory = this.#steps.at(-1)?.directory ?? this.#top;
    for (const name of parts.slice(shared)) {
      directory = directory.openDirectory(name);
      this.#steps.push({ name, directory });
    }
    return directory;
  }

  [Symbol.dispose](): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step.directory.close();
  }
}
