/** A command line, parsed: what to do and nothing of how it was spelt. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'register'; readonly parent: string | undefined; readonly files: readonly string[] }
  | { readonly kind: 'export'; readonly chain: string; readonly file: string | undefined }
  | { readonly kind: 'ls' }
  | { readonly kind: 'inspect'; readonly chain: string }
  | { readonly kind: 'rm'; readonly chain: string; readonly parents: boolean }
  | { readonly kind: 'prune'; readonly keep: readonly string[] }
  | { readonly kind: 'status' }
  | { readonly kind: 'rw-create'; readonly name: string; readonly parent: string | undefined }
  | { readonly kind: 'rw-mount' | 'rw-unmount' | 'rw-changes' | 'rw-commit' | 'rw-rm'; readonly name: string }
  | { readonly kind: 'rw-export'; readonly name: string; readonly file: string | undefined }
  | { readonly kind: 'rw-ls' };

export interface Invocation {
  readonly command: Command;
  readonly root: string | undefined;
  readonly driver: string | undefined;
  /** Keys in lower case. */
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly json: boolean;
}
