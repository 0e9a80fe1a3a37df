/**
 * Waiting for conditions: generous limits, short polls, and a message that says what never came.
 */

export interface WaitOptions {
  /** Ends the sentence «gave up waiting for …». */
  readonly description?: string;
  /** Milliseconds; 90 s unless given: tests run side by side, on machines that have other work. */
  readonly timeout?: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/**
 * Looks until `condition` gives something other than undefined, false or null, and returns it. A
 * throwing condition counts as «not yet»; its last error is part of the final message.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, undefined | false | null>> {
  const timeout = options.timeout ?? 90_000;
  const deadline = performance.now() + timeout;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      lastError = undefined;
      if (value !== undefined && value !== false && value !== null) {
        return value as Exclude<T, undefined | false | null>;
      }
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const because = lastError instanceof Error ? `: ${lastError.message}` : '';
      throw new Error(
        `gave up after ${timeout} ms waiting for ${options.description ?? 'a condition'}${because}`,
      );
    }
    await sleep(options.interval ?? 50);
  }
}
