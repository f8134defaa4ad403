import type { DirectLvmConfig } from './direct-lvm-config.js';

/** One step of the set-up: a program to run, or a file to write. */
export type SetupStep =
  | { readonly kind: 'run'; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: 'write'; readonly path: string; readonly content: string };

/** Volume group and pool are Docker's, so that either finds the pool of the other. */
const GROUP = 'docker';
const POOL = 'thinpool';
const PROFILE = `${GROUP}-${POOL}`;

/** dm name of the pool that the set-up makes. */
export const DIRECT_LVM_POOL: string = `${GROUP}-${POOL}`;

/** Programs the set-up runs, and what lvconvert needs to make a pool. */
export const SETUP_PROGRAMS: readonly string[] = [
  'pvcreate',
  'vgcreate',
  'lvcreate',
  'lvconvert',
  'lvchange',
  'thin_check',
];

const DEFAULTS = { data: 95, metadata: 1, extend: 20, threshold: 80 } as const;

/** The whole set-up in order (spec/drivers.md 2.19). Nothing is run here. */
export function planSetup(config: DirectLvmConfig): readonly SetupStep[] {
  const { device } = config;
  const data = config.thinpPercent || DEFAULTS.data;
  const metadata = config.thinpMetaPercent || DEFAULTS.metadata;
  const metadataSize = config.metadataSize === '' ? [] : ['--metadatasize', config.metadataSize];
  return [
    run('pvcreate', '-f', ...metadataSize, device),
    run('vgcreate', GROUP, device),
    volume(POOL, data),
    volume(`${POOL}meta`, metadata),
    run(
      'lvconvert',
      '-y',
      '--zero',
      'n',
      '-c',
      '512K',
      '--thinpool',
      `${GROUP}/${POOL}`,
      '--poolmetadata',
      `${GROUP}/${POOL}meta`,
    ),
    {
      kind: 'write',
      path: `/etc/lvm/profile/${PROFILE}.profile`,
      content: profile(
        config.autoExtendThreshold || DEFAULTS.threshold,
        config.autoExtendPercent || DEFAULTS.extend,
      ),
    },
    run('lvchange', '--metadataprofile', PROFILE, `${GROUP}/${POOL}`),
  ];
}

/** What to type to undo a set-up that did not get to its end. */
export function undoAdvice(device: string): string {
  return `vgremove -f ${GROUP}; pvremove -ff ${device}`;
}

/** A step in words, for messages and the progress record. */
export function describeStep(step: SetupStep): string {
  return step.kind === 'run' ? [step.program, ...step.args].join(' ') : `write ${step.path}`;
}

function run(program: string, ...args: string[]): SetupStep {
  return { kind: 'run', program, args };
}

function volume(name: string, percent: number): SetupStep {
  return run('lvcreate', '--wipesignatures', 'y', '-n', name, GROUP, '--extents', `${percent}%VG`);
}

function profile(threshold: number, percent: number): string {
  return `activation{\nthin_pool_autoextend_threshold=${threshold}\nthin_pool_autoextend_percent=${percent}\n}\n`;
}
