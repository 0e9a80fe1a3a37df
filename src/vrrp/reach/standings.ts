/** How a standing reads in logs, in the history and as a fault. Pure. */
import type { Standing } from './comparison.js';

const texts: Readonly<Record<Standing, string>> = {
  reached: 'is reached',
  unknown: 'has not answered yet',
  unable: 'cannot be asked',
  lost: 'is unreachable',
  'lost-here-only': 'is unreachable from this node only',
  'lost-by-both': 'is unreachable from both nodes',
  'peer-not-heard-yet': 'is unreachable; the peer has not said yet whether it reaches it',
  'peer-unable': 'is unreachable; the peer cannot ask it',
  'peer-silent': 'is unreachable; the peer is silent',
  'peer-cannot-serve': 'is unreachable; the peer could not take the role',
  held: 'is reached again, for less than reach_hold',
};

/** `target WAN is unreachable from both nodes`. */
export function standingText(target: string, standing: Standing): string {
  return `target ${target} ${texts[standing]}`;
}
