/** What the main thread and the fzstd worker say to each other. */

export interface FzstdWorkerData {
  /** One Int32: how many more output messages may be posted. The worker waits on it, so back-pressure holds inside a decoder that only knows synchronous callbacks. */
  readonly credit: SharedArrayBuffer;
}

/** To the worker: the next input, or the end of it. */
export type FzstdRequest = { readonly bytes: Uint8Array } | { readonly end: true };

/** From the worker. `ready` comes once at the start and then after each input has been used up. */
export type FzstdReply =
  | { readonly kind: 'missing' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
