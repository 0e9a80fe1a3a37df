/** Instants for people and programs. */
import { toMilliseconds, type Microseconds } from './time.js';

/** ISO 8601 in UTC of microseconds since 1970. */
export function isoTime(wallClock: Microseconds): string {
  return new Date(toMilliseconds(wallClock)).toISOString();
}
