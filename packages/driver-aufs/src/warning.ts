/** Something that did not stop the driver and that somebody may want to look after. */
export interface AufsWarning {
  /**
   * `sweep`: remnants stay until the next open. `pseudo-links`: hard links across layers may have become copies.
   * `unmount`: a union of a dead process is in use and stays.
   */
  readonly kind: 'sweep' | 'pseudo-links' | 'unmount';
  readonly path: string;
  readonly message: string;
}

/** Receives warnings; must not throw. */
export type OnAufsWarning = (warning: AufsWarning) => void;
