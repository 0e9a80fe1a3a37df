/**
 * Before a planned hand-over: the internal cache is compared with the kernel and mended, everything
 * is told, and a keepstate peer is asked whether it holds the same. Refused where one of these
 * fails: what is missing would be lost with the role.
 */
import { errorText } from '../../base/errors.js';
import { milliseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { drain, type DrainedEngine } from './drain.js';
import type { Engine } from '../engine/engine.js';
import type { PeerChannel } from '../peerChannel/peerChannel.js';

/** A table of a million flows is read in 2 s on an idle machine. */
const comparisonTimeout = seconds(10);
/** What an older keepstate has not compared by then, it does not compare. */
const answerTimeout = seconds(2);
/** A peer that found a difference asks for everything by itself. */
const mendTimeout = seconds(8);
const look = milliseconds(50);

interface CheckedEngine extends DrainedEngine {
  readonly check: Pick<Engine['check'], 'compareNow'>;
  readonly internal: {
    readonly fullTable: unknown;
    readonly table: { readonly alive: number };
  };
}

interface AskedPeer extends Pick<PeerChannel, 'askAcknowledgement' | 'askComparison' | 'ability'> {
  readonly holdings: Pick<PeerChannel['holdings'], 'confirms' | 'ofPeer'>;
}

/** Why the role must not be handed over now; undefined where nothing speaks against it. */
export async function handOverRefusal(
  engine: CheckedEngine,
  channel: AskedPeer | undefined,
  drainTimeout: Microseconds,
): Promise<string | undefined> {
  const refusal = await compareWithKernel(engine);
  if (refusal !== undefined) return refusal;
  const isDrained = await drain(engine, drainTimeout, () => {
    channel?.askAcknowledgement();
  });
  if (!isDrained) return 'the peer has not acknowledged everything in time';
  return channel === undefined ? undefined : confirmation(engine, channel);
}

async function compareWithKernel(engine: CheckedEngine): Promise<string | undefined> {
  const { timers } = engine.ports;
  const late = new Promise<string>((resolve) => {
    timers.after(comparisonTimeout, () => {
      resolve('it takes too long');
    });
  });
  const compared = engine.check.compareNow().then(
    () => undefined,
    (error: unknown) => errorText(error),
  );
  const failure = await Promise.race([compared, late]);
  if (failure === undefined) return undefined;
  return `the internal cache could not be compared with the kernel: ${failure}`;
}

/**
 * Waits until the peer has found itself equal to what this node holds now. A conntrackd or an older
 * keepstate cannot say; one that can, and does not, has just started, or is not there any more.
 */
async function confirmation(
  engine: CheckedEngine,
  channel: AskedPeer,
): Promise<string | undefined> {
  const { clock, timers } = engine.ports;
  // Nothing is kept to be compared.
  if (engine.internal.fullTable === undefined) return undefined;
  const startedAt = clock.now();
  const mark = engine.replicator.transmitter.nextSequence;
  for (;;) {
    const now = clock.now();
    const passed = subtractTime(now, startedAt);
    const peer = channel.holdings.ofPeer(now);
    const cannotSay = channel.ability() === 'cannot';
    const keepsNone = peer !== undefined && peer.external === undefined;
    if (keepsNone || (peer === undefined && cannotSay)) return undefined;
    const isEqual = channel.holdings.confirms(mark, now);
    if (isEqual === true) return undefined;
    if (isEqual === undefined && cannotSay && passed >= answerTimeout) return undefined;
    if (passed >= mendTimeout) return whyNot(engine.internal.table.alive, peer?.external, isEqual);
    channel.askComparison(now);
    await new Promise<void>((resolve) => {
      timers.after(look, () => {
        resolve();
      });
    });
  }
}

function whyNot(own: number, external: number | undefined, isEqual: boolean | undefined): string {
  if (external === undefined) return 'the peer does not say which flows it holds';
  return isEqual === undefined
    ? `the peer has not compared its ${external} flows with this node's ${own} in time`
    : `the peer holds ${external} flows of this node's ${own}, and they are not the same`;
}
