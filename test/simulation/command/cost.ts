/**
 * What the simulator costs: CPU of this process for a life, and for an hour in which nothing
 * happens.
 */
import { Cluster } from '../cluster.js';
import { planOf } from '../faults/plan.js';
import { live } from '../life.js';
import { usualSettings } from '../node/configuration.js';
import { World } from '../world/world.js';

/** The code is compiled by then. */
const share = 3;
const hour = 3_600_000_000;

/** The last two thirds of `lives` are counted. To be called outside of microtasks. */
export function costOf(lives: number, clients: number): Readonly<Record<string, number>> {
  const warmUp = Math.ceil(lives / share);
  for (let seed = 1; seed <= warmUp; seed++) live(planOf(seed, clients));
  let events = 0;
  const ofLives = cpuOf(() => {
    for (let seed = warmUp + 1; seed <= lives; seed++) events += live(planOf(seed, clients)).events;
  });
  const counted = Math.max(1, lives - warmUp);
  return {
    cpuMillisecondsPerLife: ofLives / counted,
    eventsPerLife: events / counted,
    cpuMillisecondsPerQuietHour: cpuOf(quietHour),
  };
}

function quietHour(): void {
  const world = new World(1, { isTold: false });
  const cluster = new Cluster(world, usualSettings);
  cluster.start(0);
  world.queue.runUntil(hour);
  cluster.end();
}

function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
