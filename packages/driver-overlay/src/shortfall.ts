import type { ExecutorWarning } from '@x/archive';

/** Refusals of one layer shown in full; the counts cover all. */
const SHOWN = 20;

/** How a layer on disk differs from what its headers say, for lack of privilege or support. */
export interface OverlayShortfall {
  readonly id: string;
  /** How often per kind: `owner`, `device`, `xattr`, otherwise the system call. */
  readonly refused: Readonly<Record<string, number>>;
  /** The first of them. */
  readonly examples: readonly ExecutorWarning[];
}

/** Sums up what an unpacking reported; undefined when there is nothing to say. */
export function summarizeShortfall(
  id: string,
  warnings: readonly ExecutorWarning[],
): OverlayShortfall | undefined {
  if (warnings.length === 0) return undefined;
  const refused: Record<string, number> = {};
  for (const { syscall } of warnings) {
    const kind = kindOf(syscall);
    refused[kind] = (refused[kind] ?? 0) + 1;
  }
  return { id, refused, examples: warnings.slice(0, SHOWN) };
}

function kindOf(syscall: string): string {
  if (syscall.includes('chown')) return 'owner';
  if (syscall.includes('mknod')) return 'device';
  return syscall.includes('xattr') ? 'xattr' : syscall;
}
