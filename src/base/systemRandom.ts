/** The kernel's random numbers behind the RandomSource port. */
import { randomInt } from 'node:crypto';
import type { RandomSource } from './time.js';

export const systemRandom: RandomSource = {
  below: (exclusiveLimit) => (exclusiveLimit <= 1 ? 0 : randomInt(exclusiveLimit)),
};
