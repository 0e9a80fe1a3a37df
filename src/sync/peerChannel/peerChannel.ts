/**
 * The conversation with a keepstate peer beside the replication protocol: who is there, whether
 * both hold the same, when a bulk has ended, and the planned hand-over. Logic only; datagrams come
 * and go through a port.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { BulkEnds } from './bulkEnds.js';
import type { ChannelEngine } from './channelEngine.js';
import type { ComparedOutcome } from '../comparison/comparedPurge.js';
import type { OwnRole } from '../comparison/ownRole.js';
import type { EngineObserver } from '../engine/engineObserver.js';
import { ParityCheck } from './parity.js';
import { HandOverOffers } from './handOverOffers.js';
import { Holdings } from '../comparison/holdings.js';
import { PeerComparison } from '../comparison/peerComparison.js';
import { PeerGreeting, type GreetingPort } from './peerGreeting.js';
import { PeerWaits } from './peerWaits.js';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../wire/peerMessage.js';
import type { MergeSummary } from '../messages.js';
import type { NodeRoles } from '../wire/peerRoles.js';
import { fromWireWords, spreadWords, type TargetWord } from '../wire/targetWords.js';
import type { PeerView } from './peerView.js';
import { StepDownNotice } from './stepDownNotice.js';

const digestPause = seconds(1);

const conntrackdIsSilent = 'a conntrackd cannot say what it holds';
const noInternal = 'the peer keeps no internal cache (DisableInternalCache)';

export interface PeerChannelPort extends Pick<
  GreetingPort,
  'directToken' | 'version' | 'nodeName'
> {
  /** `isGreeting`: also who does not know this node has to hear it. */
  send(datagram: Uint8Array, isGreeting?: boolean): void;
  /** The MASTER to which this node gave way knows it; `merged` where it has merged its flows. */
  stepDownAnswered(merged: MergeSummary | undefined): void;
  /** What the peer knows of the targets that it asks. */
  targetsTold(words: readonly TargetWord[]): void;
}

type MessageHandlers = {
  readonly [Kind in PeerMessage['kind']]: (
    message: Extract<PeerMessage, { kind: Kind }>,
    now: Microseconds,
  ) => void;
};

export class PeerChannel implements EngineObserver {
  readonly notices: StepDownNotice;
  readonly holdings: Holdings;
  readonly #comparison: PeerComparison;
  readonly handOver: HandOverOffers;
  readonly #greeting: PeerGreeting;
  readonly #engine: ChannelEngine;
  readonly #port: PeerChannelPort;
  readonly #parity = new ParityCheck();
  readonly #bulkEnds: BulkEnds;
  #digestAt: Microseconds | undefined;
  readonly #waits = new PeerWaits();
  /** Of the message that is handled: its sender, where the configuration does not name it. */
  #from: { readonly from?: string } = {};

  constructor(engine: ChannelEngine, role: OwnRole, port: PeerChannelPort) {
    this.#engine = engine;
    this.#port = port;
    const send = (message: PeerMessage): void => {
      this.#send(message);
    };
    this.#greeting = new PeerGreeting({
      version: port.version,
      nodeName: port.nodeName,
      ...(port.directToken === undefined ? {} : { directToken: port.directToken }),
      send,
      left: (now) => this.#comparison.left(now),
    });
    this.#comparison = new PeerComparison(
      engine,
      role,
      port,
      () => this.#greeting.comparingAbility(engine.ports.clock.now()),
      () => this.notices.pending !== undefined,
    );
    this.#bulkEnds = new BulkEnds(
      engine,
      send,
      () => role.mastership.isComplete || this.#greeting.knowsItsFlows(),
    );
    this.handOver = new HandOverOffers(engine.ports, {
      send,
      isPresent: (now) => this.#isPresent(now),
      peerName: () => this.#peerName(),
    });
    this.holdings = new Holdings(engine, send);
    this.notices = new StepDownNotice(engine.ports, {
      send,
      peerName: () => this.#greeting.peer?.name ?? 'the peer',
      answered: (merged) => {
        port.stepDownAnswered(merged);
      },
    });
    engine.observe(this);
  }

  view(now: Microseconds, isPeerHeard: boolean): PeerView {
    const { peer } = this.#greeting;
    const hearsNothing = this.#greeting.hearsNothing(now) ? { hearsNothing: true } : {};
    if (this.#isPresent(now) && peer !== undefined) {
      const holds = this.holdings.ofPeer(now);
      return {
        kind: 'keepstate',
        ...peer,
        ...hearsNothing,
        ...(holds === undefined ? {} : { holds }),
        ...this.#parity.view(now, this.#hasExternal(), this.#engine.check.doubt),
      };
    }
    return isPeerHeard
      ? {
          kind: 'conntrackd',
          ...hearsNothing,
          parity: 'unknown',
          parityBecause: conntrackdIsSilent,
        }
      : { kind: 'none', ...hearsNothing, parity: 'unknown' };
  }

  isKeepstate(now: Microseconds): boolean {
    return this.#isPresent(now);
  }

  /** Whether the peer can list its flows. `unknown`: it is silent, or was not greeted yet. */
  ability(): 'compares' | 'cannot' | 'unknown' {
    return this.#comparison.ability();
  }

  /** A purge by content. Rejects with KernelError. `isOver`: another role, whose flows stay. */
  purge(isOver: () => boolean): Promise<ComparedOutcome> {
    return this.#comparison.purge(isOver);
  }

  /** This node was MASTER until then, in this boot: the hello says so while leftovers are kept. */
  wasMaster(until: Microseconds): void {
    this.#comparison.wasMaster(until);
  }

  /** Whether this node never takes the role: its peer's status says so. */
  setMaintenance(on: boolean): void {
    this.#greeting.setMaintenance(on, this.#engine.ports.clock.now());
  }

  /** Who is MASTER here: its peer's status says so. */
  setRoles(roles: NodeRoles): void {
    this.#greeting.setRoles(roles, this.#engine.ports.clock.now());
  }

  /**
   * What this node knows of the targets that it asks; nothing is said to a peer that is not there.
   */
  tellTargets(words: readonly TargetWord[]): void {
    if (!this.#isPresent(this.#engine.ports.clock.now())) return;
    for (const some of spreadWords(words)) this.#send({ kind: 'targets', words: some });
  }

  /** A hello with a virtual router that this node has too. */
  isOfCluster(datagram: Uint8Array): boolean {
    const message = decodePeerMessage(datagram);
    return message?.kind === 'hello' && this.#greeting.sharesRouter(message);
  }

  /** `from`: the sender where the configuration does not name it. True where it was a message. */
  receive(datagram: Uint8Array, from?: string): boolean {
    const now = this.#engine.ports.clock.now();
    const isOfComparison = this.#comparison.receive(datagram, now);
    if (isOfComparison !== undefined) return isOfComparison;
    const message = decodePeerMessage(datagram);
    if (message === undefined) return false;
    this.#from = from === undefined ? {} : { from };
    const isNew = !this.#isPresent(now);
    this.#greeting.heard(now);
    this.#handle(message, now);
    if (isNew) this.#greeting.say(now);
    return true;
  }

  tick(now: Microseconds): void {
    this.#greeting.tick(now);
    this.handOver.tick(now);
    this.#comparison.tick(now);
    if (!this.#isPresent(now)) {
      this.#parity.reset();
      return;
    }
    this.#compare(now);
    this.holdings.tick(this.#parity.parity(now), now);
    this.#sendDigest(now);
    this.#bulkEnds.tick(now);
    this.notices.tick(now);
    if (this.#hasExternal() && this.#parity.wantsResync(now)) {
      this.#engine.replicator.askResync(
        now,
        'the caches differ, or messages of a peer without a cache were lost',
      );
    }
  }

  /** A datagram of the replication protocol was worked through. */
  received(now: Microseconds): void {
    this.#waits.look(this.#engine.replicator, now);
    this.#compare(now);
  }

  bulkDone(since: number, entries: number): void {
    this.#bulkEnds.announce(since, entries);
  }

  peerRestarted(): void {
    this.holdings.peerRestarted();
    this.#greeting.peerRestarted();
    this.#bulkEnds.peerRestarted();
  }

  announcesEnds(now: Microseconds): boolean {
    return this.#isPresent(now);
  }

  /**
   * Flows of the external cache went otherwise than by the peer's word: nothing is known until the
   * next comparison.
   */
  externalEmptied(): void {
    this.#parity.emptied();
  }

  /** The peer shall say as soon as possible whether it holds what this node does. */
  askComparison(now: Microseconds): void {
    this.#digestAt = undefined;
    if (this.#isPresent(now)) this.#sendDigest(now);
  }

  /**
   * The peer shall acknowledge at once what was sent so far; a keepstate of before this message
   * ignores it.
   */
  askAcknowledgement(): void {
    const sequence = this.#engine.replicator.transmitter.nextSequence;
    if (this.#isPresent(this.#engine.ports.clock.now()))
      this.#send({ kind: 'acknowledge', sequence });
  }

  /** The engine ends: whoever waits for an answer gets one. */
  close(): void {
    this.handOver.close();
    this.#comparison.close();
  }

  #handle(message: PeerMessage, now: Microseconds): void {
    // The table's type pairs each kind with its message.
    const handle = this.#handlers[message.kind] as (
      message: PeerMessage,
      now: Microseconds,
    ) => void;
    handle(message, now);
  }

  readonly #handlers: MessageHandlers = {
    hello: (message, now) => {
      this.#greeting.received(message, now);
      this.#comparison.greeted(message, now);
    },
    path: () => undefined,
    digest: (message, now) => this.#digest(message, now),
    noDigest: (message, now) => this.#digest(message, now),
    holds: (message, now) => {
      this.holdings.received(message, now);
      if (message.doubt !== '') this.#parity.peerDoubts(`the peer: ${message.doubt}`);
    },
    bulkEnd: (message) => this.#bulkEnds.received(message),
    bulkEndSeen: ({ since }) => this.#bulkEnds.seenByPeer(since),
    targets: ({ words }) => {
      this.#port.targetsTold(fromWireWords(words));
    },
    acknowledge: ({ sequence }, now) => {
      this.#waits.asked(sequence);
      this.#waits.look(this.#engine.replicator, now);
    },
    offer: ({ token }) => this.handOver.peerOffered(token, this.#from),
    offerAnswer: (message) => this.handOver.peerAnswered(message),
    resigned: ({ token }) => this.handOver.peerResigned(token, this.#from),
    compare: ({ token }, now) => this.#comparison.asked(token, now),
    comparable: (message) => this.#comparison.comparable(message),
    yielded: (message) => this.notices.peerSteppedDown(message, this.#from),
    yieldedSeen: (message) => this.notices.peerAcknowledged(message),
  };

  #digest(message: Extract<PeerMessage, { kind: 'digest' | 'noDigest' }>, now: Microseconds): void {
    this.#bulkEnds.peerIsAtRest(now);
    if (message.kind === 'noDigest') {
      this.#parity.noDigest(noInternal, this.#engine.replicator.machine.counters.lost);
      return;
    }
    this.#parity.digest(message);
    this.#compare(now);
  }

  #compare(now: Microseconds): void {
    if (!this.#hasExternal()) return;
    const { external, replicator } = this.#engine;
    const { last } = replicator.machine;
    const isEqual = this.#parity.compare(
      last,
      () => {
        const [high, low] = external.table.fingerprint.words;
        return { count: external.table.alive, high, low };
      },
      now,
    );
    if (isEqual === undefined || last === undefined) return;
    this.holdings.compared((last + 1) >>> 0, isEqual, this.#parity.parity(now), now);
  }

  /**
   * Only when everything that changed was sent: then the number tells exactly what the peer should
   * have.
   */
  #sendDigest(now: Microseconds): void {
    if (this.#digestAt !== undefined && subtractTime(now, this.#digestAt) < digestPause) return;
    const { internal, replicator } = this.#engine;
    const { transmitter } = replicator;
    if (transmitter.waiting > 0 || transmitter.isBulkRunning) return;
    // The peer would find itself equal to a cache that lacks flows of this kernel.
    if (this.#engine.check.doubt !== undefined) return;
    this.#digestAt = now;
    const { fullTable } = internal;
    if (fullTable === undefined) {
      this.#send({ kind: 'noDigest' });
      return;
    }
    const [high, low] = fullTable.fingerprint.words;
    const sequence = transmitter.nextSequence;
    this.#send({ kind: 'digest', sequence, count: fullTable.alive, high, low });
  }

  #send(message: PeerMessage): void {
    this.#port.send(encodePeerMessage(message), message.kind === 'hello');
  }

  #peerName(): string {
    const name = this.#greeting.peer?.name;
    return name === undefined ? 'the peer' : `the peer ${name}`;
  }

  #isPresent(now: Microseconds): boolean {
    return this.#greeting.isPresent(now);
  }

  #hasExternal(): boolean {
    return this.#engine.externalMode.committable !== undefined;
  }
}
