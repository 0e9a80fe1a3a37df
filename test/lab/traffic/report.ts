/**
 * What the traffic programs share: arguments `--name value`, one JSON line per fact, and a quiet
 * end.
 */

export function argument(name: string, fallback?: string): string {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? fallback : process.argv[at + 1];
  if (value === undefined) {
    process.stderr.write(`--${name} is missing\n`);
    process.exit(2);
  }
  return value;
}

export function numberArgument(name: string, fallback: number): number {
  return Number(argument(name, String(fallback)));
}

export function report(fact: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
}

/**
 * Calls back once when the test writes a line on standard input, or closes it, or sends SIGTERM.
 */
export function onStop(callback: () => void): void {
  let called = false;
  const once = (): void => {
    if (called) return;
    called = true;
    callback();
  };
  process.stdin.on('data', once);
  process.stdin.on('end', once);
  process.on('SIGTERM', once);
}

/** Milliseconds on the monotonic clock. */
export function nowMilliseconds(): number {
  return performance.now();
}
