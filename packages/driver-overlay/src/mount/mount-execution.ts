import { errnoOf, LayerStoreError } from '@x/archive';
import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  type NativeCalls,
} from '@x/native';
import type { MountPlan, MountStep } from './mount-plan.js';

const MS_NOATIME = 1024;
const MS_NODIRATIME = 2048;
const MS_STRICTATIME = 1 << 24;
// mount_setattr(2)
const MOUNT_ATTR_NOATIME = 0x10;
const MOUNT_ATTR_STRICTATIME = 0x20;
const MOUNT_ATTR_NODIRATIME = 0x80;

const ATTRIBUTES: readonly (readonly [flag: number, attribute: number])[] = [
  [MS_RDONLY, MOUNT_ATTR_RDONLY],
  [MS_NOSUID, MOUNT_ATTR_NOSUID],
  [MS_NODEV, MOUNT_ATTR_NODEV],
  [MS_NOEXEC, MOUNT_ATTR_NOEXEC],
  [MS_NOATIME, MOUNT_ATTR_NOATIME],
  [MS_NODIRATIME, MOUNT_ATTR_NODIRATIME],
  [MS_STRICTATIME, MOUNT_ATTR_STRICTATIME],
];

/** The MS_* flags that both interfaces have, all of them per mount. */
export const MOUNT_FLAGS: number = ATTRIBUTES.reduce((all, [flag]) => all | flag, 0);

/**
 * Carries a plan out at `target`. Nothing is attached when it fails.
 * @throws DRIVER_FAILED with the kernel's own words, or the code of the refusal
 */
export async function executeMount(
  calls: NativeCalls,
  plan: MountPlan,
  target: string,
  flags: number,
): Promise<void> {
  if (plan.via === 'refused') {
    throw new LayerStoreError(plan.code, `${target} cannot be mounted: ${plan.reason}`, { path: target });
  }
  try {
    // Synchronous: all of it takes less than handing a single step to another thread.
    if (plan.via === 'fsopen')
      calls.mountByContextSync('overlay', settingsOf(plan.steps), attributesOf(flags), target);
    else if (plan.cwd === undefined) await calls.mount('overlay', target, 'overlay', flags, plan.data);
    else await calls.mountAt(plan.cwd, 'overlay', target, 'overlay', flags, plan.data);
  } catch (error) {
    throw mountFailure(target, error);
  }
}

function settingsOf(steps: readonly MountStep[]): string {
  let settings = '';
  for (const step of steps) {
    if (step.kind === 'flag') settings += `flag\0${step.key}\0`;
    else settings += `${step.kind}\0${step.key}\0${step.kind === 'text' ? step.value : step.path}\0`;
  }
  return settings;
}

function attributesOf(flags: number): number {
  return ATTRIBUTES.reduce((all, [flag, attribute]) => ((flags & flag) === 0 ? all : all | attribute), 0);
}

function mountFailure(target: string, cause: unknown): LayerStoreError {
  const errno = errnoOf(cause);
  const { detail, syscall } = (cause ?? {}) as { readonly detail?: unknown; readonly syscall?: unknown };
  const said = typeof detail === 'string' && detail !== '' ? detail : undefined;
  const words = [said, errno].filter((word) => word !== undefined).join(': ') || String(cause);
  return new LayerStoreError('DRIVER_FAILED', `${target} cannot be mounted: ${words}`, {
    path: target,
    cause,
    ...(errno === undefined ? {} : { errno }),
    ...(typeof syscall === 'string' ? { syscall } : {}),
  });
}
