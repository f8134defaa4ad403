import { ExpectationFailed } from '../expectation.js';

/** Runs work; when its time is over, aborts `stop` and fails without waiting for the work to take notice. */
export async function withinTime<T>(
  message: string,
  milliseconds: number,
  stop: AbortController,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new ExpectationFailed(message);
      stop.abort(error);
      reject(error);
    }, milliseconds);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
