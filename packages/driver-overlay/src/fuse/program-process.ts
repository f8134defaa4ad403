import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SYSTEM_PROGRAM_DIRECTORIES } from '@x/archive';
import { UNFINISHED_PREFIX } from '@x/layer-store/driver-kit';

/** How much of its complaint goes into a message. Bytes. */
const COMPLAINT_LENGTH = 2000;

/** How a process ended. */
export interface ProcessEnd {
  /** `exit status 1`, `killed by SIGSEGV`, or why it could not be started. */
  readonly how: string;
  readonly succeeded: boolean;
}

/**
 * A program that serves a mount, in the foreground: our child, so that it is reaped when it ends while we live, and in a
 * session of its own, so that it and the mount go on when we end. Its standard error goes to a file without a name: a
 * pipe would end it the first time it writes after us.
 */
export class ProgramProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #log: FileHandle;

  private constructor(child: ChildProcess, log: FileHandle) {
    this.#child = child;
    this.#log = log;
    this.ended = new Promise((resolve) => {
      child.on('error', ({ message }) => resolve({ how: message, succeeded: false }));
      child.once('exit', (code, signal) => {
        resolve({
          how: signal === null ? `exit status ${code}` : `killed by ${signal}`,
          succeeded: code === 0,
        });
      });
    });
  }

  /** @param logDirectory where the file without a name is made */
  static async start(
    program: string,
    args: readonly string[],
    { cwd, logDirectory }: { readonly cwd: string; readonly logDirectory: string },
  ): Promise<ProgramProcess> {
    const path = join(logDirectory, `${UNFINISHED_PREFIX}-log-${randomBytes(8).toString('hex')}`);
    const log = await open(path, 'wx+', 0o600);
    try {
      await unlink(path);
      const child = spawn(program, args, {
        cwd,
        env: { PATH: SYSTEM_PROGRAM_DIRECTORIES.join(':'), LC_ALL: 'C' },
        stdio: ['ignore', 'ignore', log.fd],
        detached: true,
      });
      return new ProgramProcess(child, log);
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** It serves: from here on this process may end before it. */
  async release(): Promise<void> {
    this.#child.unref();
    await this.#log.close();
  }

  /** It is not wanted. Resolves to what it wrote to standard error. */
  async stop(): Promise<string> {
    this.#child.kill('SIGKILL');
    await this.ended;
    try {
      const buffer = Buffer.alloc(COMPLAINT_LENGTH);
      const { bytesRead } = await this.#log.read(buffer, 0, buffer.length, 0);
      return buffer.toString('utf8', 0, bytesRead).trim();
    } finally {
      await this.#log.close();
    }
  }

  /** Whether it ended within the time. */
  async endsWithin(milliseconds: number): Promise<boolean> {
    // A reference of ours keeps the loop alive until the child is reaped.
    this.#child.ref();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, milliseconds, false);
    });
    try {
      return await Promise.race([this.ended.then(() => true as const), timeout]);
    } finally {
      clearTimeout(timer);
      this.#child.unref();
    }
  }
}
