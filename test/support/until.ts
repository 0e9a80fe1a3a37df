/** Waits for a condition with a generous limit: tests never assert on elapsed time. */
export async function until(
  condition: () => boolean,
  limitMilliseconds = 20_000,
  what = 'condition',
): Promise<void> {
  const end = performance.now() + limitMilliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} not met in ${limitMilliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
