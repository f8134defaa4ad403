import { availableParallelism } from 'node:os';

/**
 * Whether reading a file takes its turn with writing others, on one thread. With two processors, that thread and the one that
 * hashes keep both busy; a third makes the scheduler interrupt them in turn, and leaves a processor idle while one waits for
 * the other (measured: 6 per cent of a layer's time). With more, each does best alone.
 */
export function hasFewProcessors(): boolean {
  return availableParallelism() <= 2;
}
