#!/usr/bin/env node
import { runCommand } from './run-command.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    // The check under way is ended and cleaned up first.
    interrupted.abort(new Error(`stopped by ${signal}`));
  });
}

process.exitCode = await runCommand(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
});
