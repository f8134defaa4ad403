import { isLayerStoreError } from '@x/archive';
import type { ConsoleIo } from './console-io.js';
import { USAGE } from './usage.js';
import { UsageError } from './usage-error.js';

/** Writes an error to standard error and gives the exit code: 2 for wrong usage, 1 for the rest. */
export function showError(error: unknown, json: boolean, io: ConsoleIo): 1 | 2 {
  const { code, message } = described(error);
  if (json) io.stderr.write(`${JSON.stringify({ error: { code, message, ...fieldsOf(error) } })}\n`);
  else {
    io.stderr.write(`layer-store: ${code}: ${message}\n`);
    for (const cause of causesOf(error)) io.stderr.write(`  because: ${cause}\n`);
  }
  if (!(error instanceof UsageError)) return 1;
  if (!json) io.stderr.write(`\n${USAGE}`);
  return 2;
}

function described(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof UsageError) return { code: 'USAGE', message: error.message };
  if (typeof error !== 'object' || error === null) return { code: 'ERROR', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
  return { code, message: 'message' in error ? String(error.message) : JSON.stringify(error) };
}

function fieldsOf(error: unknown): object {
  if (!isLayerStoreError(error)) return {};
  const { chainId, diffId, cacheId, driver, path, errno, syscall, option, offset, expected, actual } = error;
  return { chainId, diffId, cacheId, driver, path, errno, syscall, option, offset, expected, actual };
}

/** The chain of causes, outermost first; bounded, because a cause may be anything. */
function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  let current = error;
  while (causes.length < 5 && typeof current === 'object' && current !== null && 'cause' in current) {
    current = current.cause;
    if (current === undefined) break;
    const { code, message } = described(current);
    causes.push(code === 'ERROR' ? message : `${code}: ${message}`);
  }
  return causes;
}
