/**
 * Before a planned hand-over: everything that this node knows is at the peer, in FTFW acknowledged.
 */
import { milliseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { Engine, EnginePorts } from '../engine/engine.js';

const look = milliseconds(10);

export interface DrainedEngine {
  readonly ports: Pick<EnginePorts, 'clock' | 'timers'>;
  readonly replicator: {
    readonly transmitter: Pick<
      Engine['replicator']['transmitter'],
      'isAcknowledgedBefore' | 'isAllSent' | 'nextSequence'
    >;
  };
}

/**
 * True once the peer has what was known when the queues ran empty; what changes later follows by
 * itself, so that a busy node drains too. False after `timeout`. `hurry` asks the peer to
 * acknowledge now: by itself it may wait a second.
 */
export async function drain(
  engine: DrainedEngine,
  timeout: Microseconds,
  hurry: () => void,
): Promise<boolean> {
  const { clock, timers } = engine.ports;
  const { transmitter } = engine.replicator;
  const startedAt = clock.now();
  /** Everything has a number before this one. */
  let mark: number | undefined;
  for (;;) {
    if (mark === undefined && transmitter.isAllSent) mark = transmitter.nextSequence;
    if (mark !== undefined && transmitter.isAcknowledgedBefore(mark)) return true;
    if (subtractTime(clock.now(), startedAt) >= timeout) return false;
    if (mark !== undefined) hurry();
    await new Promise<void>((resolve) => {
      timers.after(look, () => {
        resolve();
      });
    });
  }
}
