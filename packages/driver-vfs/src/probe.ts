import { access, constants, stat } from 'node:fs/promises';
import { errnoOf } from '@x/archive';
import type { ProbeResult } from '@x/layer-store';
import { nearestExisting } from '@x/layer-store/driver-kit';
import { currentPrivileges } from './privileges.js';

/**
 * Whether the driver can keep layers at `home`: it can wherever directories can be made. Makes nothing, never throws;
 * warns about what the process may not do.
 */
export async function probeVfs(home: string): Promise<ProbeResult> {
  try {
    const existing = await nearestExisting(home);
    if (!(await stat(existing)).isDirectory()) {
      return unsupported('DRIVER_PREREQUISITES', `"${existing}" is not a directory`, 'choose another home');
    }
    await access(existing, constants.W_OK | constants.X_OK);
    return { supported: true, warnings: privilegeWarnings() };
  } catch (error) {
    const errno = errnoOf(error) ?? String(error);
    return unsupported(
      'DRIVER_FAILED',
      `"${home}" cannot be written: ${errno}`,
      'choose a home you may write to',
    );
  }
}

function unsupported(
  code: 'DRIVER_PREREQUISITES' | 'DRIVER_FAILED',
  reason: string,
  remedy: string,
): ProbeResult {
  return { supported: false, code, reason, remedy };
}

function privilegeWarnings(): string[] {
  const privileges = currentPrivileges();
  const warnings: string[] = [];
  if (!privileges.chown) warnings.push('without CAP_CHOWN all files will belong to the current user');
  if (!privileges.mknod) warnings.push('without CAP_MKNOD device nodes will be missing');
  if (!privileges.fileCapabilities) warnings.push('without CAP_SETFCAP file capabilities will be missing');
  return warnings;
}
