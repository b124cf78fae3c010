/** The promise's value, unless the signal comes first; the promise itself goes on. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    const reason: unknown = signal.reason;
    reject(reason);
  };
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** One after another, in the order in which they came. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  async take<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#last;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    // Also for those behind one who gives up waiting, its turn begins only after the one before it.
    this.#last = before.then(() => done);
    try {
      await orAbort(before, signal);
      return await run();
    } finally {
      resolve();
    }
  }
}
