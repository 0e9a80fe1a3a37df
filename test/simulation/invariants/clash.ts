/** Flows that want the same translated address and port: one of them must die. */
import type { Tuple } from '../kernel/kernelPorts.js';
import type { Machine } from '../node/machine.js';
import { keyOfTuple } from './cacheKeys.js';

/** Some node has a flow whose reply is that of this one on some node. */
export function hasClash(machines: readonly Machine[], tuple: Tuple): boolean {
  const key = keyOfTuple(tuple);
  return machines.some(({ kernel }) => {
    const own = kernel?.find(tuple);
    if (own === undefined) return false;
    return machines.some(({ kernel: of }) => {
      const other = of?.find(own.reply);
      return other !== undefined && keyOfTuple(other.original) !== key;
    });
  });
}
