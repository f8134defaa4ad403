/** The two calls of tar-fs 3 that the benchmark makes; the package ships no types. */
declare module 'tar-fs' {
  import type { Readable, Writable } from 'node:stream';

  const tarFs: {
    extract(directory: string, options: { readonly validateSymlinks: boolean }): Writable;
    pack(directory: string): Readable;
  };
  // biome-ignore lint/style/noDefaultExport: the package is CommonJS, its exports are the default
  export default tarFs;
}
