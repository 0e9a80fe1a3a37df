/** flock(2), which Node.js does not have: a lock that ends with its process, however that ends. */
import { nativeAddon } from '../native/load.js';

/**
 * Locks the open file exclusively, without waiting. 0, or a positive errno: EAGAIN where another
 * open file description has the lock. It is held until the descriptor is closed.
 */
export function lockExclusively(descriptor: number): number {
  return nativeAddon().lockFile(descriptor);
}
