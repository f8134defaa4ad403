/** What the host tells the guest, and the guest the host: two JSON files in the job directory, which both see. */

/** `job.json`. */
export interface Job {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Besides the guest's own: what is passed through from the caller. */
  readonly environment: Readonly<Record<string, string>>;
  /** The command talks to the terminal instead of through the harness. */
  readonly interactive: boolean;
}

/** `outcome.json`; missing when the guest died before it could write it. */
export type GuestOutcome =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  /** The guest did not get as far as the command. */
  | { readonly kind: 'setup-failed'; readonly message: string };

export const JOB_FILE = 'job.json';
export const OUTCOME_FILE = 'outcome.json';

/** What the guest's block devices are, in the order of their images. */
export const SCRATCH_DEVICE = '/dev/ubda';
export const BLANK_DEVICES: readonly string[] = ['/dev/ubdb', '/dev/ubdc'];

/** Variables of the caller that the command in the guest sees. */
export function passedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    const wanted = name === 'CI' || name === 'NODE_OPTIONS' || name.startsWith('LAYER_STORE_');
    if (wanted && value !== undefined) passed[name] = value;
  }
  return passed;
}
