/** How often a node looks at its roles, its adverts and the problems. Pure. */
import { milliseconds, type Microseconds } from '../../base/time.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';

/** For roles, adverts and the service manager's status line. */
const usual = milliseconds(250);
/** The picture of hundreds of instances, and the file that remembers them: less often. */
const ofMany = milliseconds(1_000);
const manyInstances = 50;
/**
 * While a hand-over waits for the other router's first advertisement, or a peer's word for that.
 */
const ofHandOver = milliseconds(5);

export function tickPeriodOf(roles: RolePicture, isAwaited: boolean): Microseconds {
  if (isAwaited) return ofHandOver;
  return roles.instances.length > manyInstances ? ofMany : usual;
}

/** A snapshot of 500 instances takes 5 ms of the thread that sends adverts. */
export function samplePeriodOf(roles: RolePicture): Microseconds {
  return roles.instances.length > manyInstances ? milliseconds(5_000) : milliseconds(1_000);
}
