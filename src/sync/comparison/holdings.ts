/**
 * What two keepstates tell each other of what they hold: counts of kernel and caches, how the last
 * comparison went, and why a comparison would say nothing. Said once a second, and at once when an
 * answer or a doubt changes.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { Engine } from '../engine/engine.js';
import type { Parity, PeerHoldings } from '../messages.js';
import { sequenceDistance } from '../wire/header.js';
import type { PeerMessage } from '../wire/peerMessage.js';

const sayPause = seconds(1);
/** Three are overdue. */
const freshness = seconds(4);
/** A count that is not known. */
const unknownCount = 0xffff_ffff;
/** In place of a number: no digest was compared yet. */
const never = 0;

/** What is told. */
interface HoldingEngine {
  readonly check: Pick<Engine['check'], 'doubt' | 'view'>;
  readonly externalMode: Pick<Engine['externalMode'], 'committable'>;
  readonly internal: Engine['internal'];
}

type Holds = Extract<PeerMessage, { kind: 'holds' }>;

export class Holdings {
  readonly #engine: HoldingEngine;
  readonly #send: (message: PeerMessage) => void;
  #saidAt: Microseconds | undefined;
  #saidDoubt: string | undefined;
  /** Of the peer's digests. */
  #compared: { readonly sequence: number; readonly isEqual: boolean } | undefined;
  #peer: Holds | undefined;
  #heardAt: Microseconds | undefined;

  constructor(engine: HoldingEngine, send: (message: PeerMessage) => void) {
    this.#engine = engine;
    this.#send = send;
  }

  /** A digest of the peer was compared with the external cache; it is told how that went. */
  compared(sequence: number, isEqual: boolean, parity: Parity, now: Microseconds): void {
    this.#compared = { sequence, isEqual };
    this.#say(parity, now);
  }

  tick(parity: Parity, now: Microseconds): void {
    const isNew = this.#engine.check.doubt !== this.#saidDoubt;
    const isOld = this.#saidAt === undefined || subtractTime(now, this.#saidAt) >= sayPause;
    if (isNew || isOld) this.#say(parity, now);
  }

  received(message: Holds, now: Microseconds): void {
    this.#peer = message;
    this.#heardAt = now;
  }

  /** A new incarnation: what the old one said is nothing. */
  peerRestarted(): void {
    this.#peer = undefined;
    this.#compared = undefined;
  }

  /** undefined where the peer does not say it. */
  ofPeer(now: Microseconds): PeerHoldings | undefined {
    const peer = this.#fresh(now);
    if (peer === undefined) return undefined;
    const { kernel, ignored, internal, external, parity, doubt } = peer;
    return {
      ...(kernel === unknownCount ? {} : { kernel }),
      ignored,
      internal,
      ...(external === unknownCount ? {} : { external }),
      parity: parity === 'equal' || parity === 'different' ? parity : 'unknown',
      ...(doubt === '' ? {} : { doubt }),
    };
  }

  /**
   * Whether the peer found its external cache equal to a digest from `sequence` on; undefined where
   * it has not compared one.
   */
  confirms(sequence: number, now: Microseconds): boolean | undefined {
    const peer = this.#fresh(now);
    if (peer === undefined || peer.compared === never) return undefined;
    return sequenceDistance(peer.compared, sequence) < 0 ? undefined : peer.equal;
  }

  #fresh(now: Microseconds): Holds | undefined {
    if (this.#heardAt === undefined || subtractTime(now, this.#heardAt) > freshness)
      return undefined;
    return this.#peer;
  }

  #say(parity: Parity, now: Microseconds): void {
    const { check, internal, externalMode } = this.#engine;
    const { flows = unknownCount, ignored = 0 } = check.view;
    this.#saidAt = now;
    this.#saidDoubt = check.doubt;
    this.#send({
      kind: 'holds',
      kernel: flows,
      ignored,
      internal: internal.table.alive,
      external: externalMode.committable?.table.alive ?? unknownCount,
      compared: this.#compared?.sequence ?? never,
      equal: this.#compared?.isEqual ?? false,
      parity,
      doubt: check.doubt ?? '',
    });
  }
}
