import { type DirectoryStep, runDirectorySteps } from '@x/layer-store/driver-kit';

/** Overlay's own marks, and the label that belongs to the place. */
const SKIPPED = ['trusted.overlay.', 'user.overlay.', 'security.selinux'] as const;

/**
 * Gives a layer's root the owner, mode, attributes and time of its parent's: overlay shows those of the uppermost. Attributes
 * need the addon.
 */
export function rootAttributes(from: string, path: string): DirectoryStep {
  return { verb: 'attributes', from, path, skipped: SKIPPED };
}

/** Carries {@link rootAttributes} out between two absolute paths. */
export function copyRootAttributes(from: string, to: string): void {
  runDirectorySteps('/', [rootAttributes(from.slice(1), to.slice(1))]);
}
