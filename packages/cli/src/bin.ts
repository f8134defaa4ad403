#!/usr/bin/env node
import os from 'node:os';
import { run } from './run.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted.abort(new Error(`stopped by ${signal}`));
  });
}
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // the reader of our output has gone: stop as quietly as a pipe does
  if (error.code === 'EPIPE') interrupted.abort(error);
});

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  uid: process.getuid?.() ?? 0,
  home: os.homedir(),
  signal: interrupted.signal,
});
