/**
 * The conversation with a keepstate peer beside the replication protocol: who is there, whether both hold the
 * same, when a bulk has ended, and the planned hand-over. Logic only; datagrams come and go through a port.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { BulkEnds } from './bulkEnds.js';
import type { Engine } from '../engine/engine.js';
import type { EngineObserver } from '../engine/engineObserver.js';
import { ParityCheck } from './parity.js';
import { Holdings } from '../comparison/holdings.js';
import { PeerComparison } from '../comparison/peerComparison.js';
import { PeerGreeting, type GreetingPort } from './peerGreeting.js';
import { PeerWaits } from './peerWaits.js';
import type { PeerView } from '../client/statusBuilder.js';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../wire/peerMessage.js';
import type { NodeRoles } from '../wire/peerRoles.js';
import { YieldNews } from './yieldNews.js';

const digestPause = seconds(1);
const resignedRepeats = 5;

const conntrackdIsSilent = 'a conntrackd cannot say what it holds';
const noInternal = 'the peer keeps no internal cache (DisableInternalCache)';

export interface PeerChannelPort extends Pick<GreetingPort, 'version' | 'nodeName'> {
  send(datagram: Uint8Array): void;
}

interface Offer {
  readonly token: number;
  readonly until: Microseconds;
  readonly settle: (ready: boolean, because: string) => void;
}

export class PeerChannel implements EngineObserver {
  readonly yields: YieldNews;
  readonly holdings: Holdings;
  readonly comparison: PeerComparison;
  readonly #greeting: PeerGreeting;
  readonly #engine: Engine;
  readonly #port: PeerChannelPort;
  readonly #parity = new ParityCheck();
  readonly #bulkEnds: BulkEnds;
  #digestAt: Microseconds | undefined;
  #offer: Offer | undefined;
  #offeredToken: number | undefined;
  /** Our answer to the offer, for its repetitions. */
  #answer: Extract<PeerMessage, { kind: 'offerAnswer' }> | undefined;
  #resignedToken: number | undefined;
  readonly #waits = new PeerWaits();
  /** Of the message that is handled: its sender, where the configuration does not name it. */
  #from: { readonly from?: string } = {};

  constructor(engine: Engine, port: PeerChannelPort) {
    this.#engine = engine;
    this.#port = port;
    const send = (message: PeerMessage): void => {
      this.#send(message);
    };
    this.#greeting = new PeerGreeting({
      version: port.version,
      nodeName: port.nodeName,
      send,
      left: (now) => this.comparison.left(now),
    });
    this.comparison = new PeerComparison(
      engine,
      port,
      () => this.#greeting.comparingAbility(engine.ports.clock.now()),
      () => this.yields.pending !== undefined,
    );
    this.#bulkEnds = new BulkEnds(engine, send);
    this.holdings = new Holdings(engine, send);
    this.yields = new YieldNews(engine, {
      send,
      peerName: () => this.#greeting.peer?.name ?? 'the peer',
      isPresent: (now) => this.#isPresent(now),
    });
    engine.observe(this);
  }

  view(now: Microseconds, isPeerHeard: boolean): PeerView {
    const { peer } = this.#greeting;
    if (this.#isPresent(now) && peer !== undefined) {
      const holds = this.holdings.ofPeer(now);
      return {
        kind: 'keepstate',
        ...peer,
        ...(holds === undefined ? {} : { holds }),
        ...this.#parity.view(now, this.#hasExternal(), this.#engine.check.doubt),
      };
    }
    return isPeerHeard
      ? { kind: 'conntrackd', parity: 'unknown', parityBecause: conntrackdIsSilent }
      : { kind: 'none', parity: 'unknown' };
  }

  isKeepstate(now: Microseconds): boolean {
    return this.#isPresent(now);
  }

  /** Whether this node never takes the role: its peer's status says so. */
  setMaintenance(on: boolean): void {
    this.#greeting.setMaintenance(on, this.#engine.ports.clock.now());
  }

  /** Who is MASTER here: its peer's status says so. */
  setRoles(roles: NodeRoles): void {
    this.#greeting.setRoles(roles, this.#engine.ports.clock.now());
  }

  /** `from`: the sender where the configuration does not name it. True where it was a message. */
  receive(datagram: Uint8Array, from?: string): boolean {
    const now = this.#engine.ports.clock.now();
    const isOfComparison = this.comparison.receive(datagram, now);
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
    // Also towards a peer that has gone: whoever offered waits for the end of it.
    this.#expireOffer(now);
    this.comparison.tick(now);
    if (!this.#isPresent(now)) {
      this.#parity.reset();
      return;
    }
    this.#compare(now);
    this.holdings.tick(this.#parity.parity(now), now);
    this.#sendDigest(now);
    this.#bulkEnds.tick(now);
    this.yields.tick(now);
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

  /** The peer shall acknowledge at once what was sent so far; a keepstate of before this message ignores it. */
  askAcknowledgement(): void {
    const sequence = this.#engine.replicator.transmitter.nextSequence;
    if (this.#isPresent(this.#engine.ports.clock.now()))
      this.#send({ kind: 'acknowledge', sequence });
  }

  /** Asks the peer to take the role; resolves with its answer, or a refusal after `timeout`. */
  offer(timeout: Microseconds): Promise<{ readonly ready: boolean; readonly because: string }> {
    const { clock, random } = this.#engine.ports;
    const now = clock.now();
    if (!this.#isPresent(now)) {
      return Promise.resolve({ ready: false, because: 'no keepstate peer is heard' });
    }
    this.#offer?.settle(false, 'another offer was made');
    const token = random.below(0x1_0000_0000);
    this.#resignedToken = token;
    return new Promise((resolve) => {
      this.#offer = {
        token,
        until: (now + timeout) as Microseconds,
        settle: (ready, because) => {
          this.#offer = undefined;
          resolve({ ready, because });
        },
      };
      this.#send({ kind: 'offer', token });
    });
  }

  /** The engine ends: whoever waits for an answer gets one. */
  close(): void {
    this.#offer?.settle(false, 'the sync engine ends');
    this.comparison.close();
  }

  answerOffer(ready: boolean, because: string): void {
    if (this.#offeredToken === undefined) return;
    this.#answer = { kind: 'offerAnswer', token: this.#offeredToken, ready, because };
    this.#send(this.#answer);
  }

  resigned(): void {
    const token = this.#resignedToken;
    if (token === undefined) return;
    for (let i = 0; i < resignedRepeats; i++) this.#send({ kind: 'resigned', token });
    this.#resignedToken = undefined;
  }

  #handle(message: PeerMessage, now: Microseconds): void {
    switch (message.kind) {
      case 'hello':
        this.#greeting.received(message, now);
        this.comparison.greeted(message, now);
        return;
      case 'digest':
      case 'noDigest':
        this.#digest(message, now);
        return;
      case 'holds':
        this.holdings.received(message, now);
        if (message.doubt !== '') this.#parity.peerDoubts(`the peer: ${message.doubt}`);
        return;
      case 'bulkEnd':
        this.#bulkEnds.received(message);
        return;
      case 'bulkEndSeen':
        this.#bulkEnds.seenByPeer(message.since);
        return;
      case 'acknowledge':
        this.#waits.asked(message.sequence);
        this.#waits.look(this.#engine.replicator, now);
        return;
      case 'offer':
        this.#offered(message.token);
        return;
      case 'offerAnswer':
        if (this.#offer?.token === message.token) this.#answered(this.#offer, message);
        return;
      case 'resigned':
        this.#granted(message.token);
        return;
      default:
        if (!this.comparison.handle(message, now)) this.yields.handle(message, this.#from);
    }
  }

  #digest(message: Extract<PeerMessage, { kind: 'digest' | 'noDigest' }>, now: Microseconds): void {
    this.#bulkEnds.peerIsAtRest(now);
    if (message.kind === 'noDigest') {
      this.#parity.noDigest(noInternal, this.#engine.replicator.machine.counters.lost);
      return;
    }
    this.#parity.digest(message);
    this.#compare(now);
  }

  #offered(token: number): void {
    if (this.#offeredToken !== token) {
      this.#offeredToken = token;
      this.#engine.ports.report({ kind: 'handoverOffered', ...this.#from });
    } else if (this.#answer?.token === token) {
      // The offer is repeated until it is answered: an answer may have been lost.
      this.#send(this.#answer);
    }
  }

  #granted(token: number): void {
    if (this.#offeredToken !== token) return;
    this.#offeredToken = undefined;
    this.#engine.ports.report({ kind: 'handoverGranted', ...this.#from });
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

  /** Only when everything that changed was sent: then the number tells exactly what the peer should have. */
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

  #expireOffer(now: Microseconds): void {
    const offer = this.#offer;
    if (offer === undefined) return;
    if (now >= offer.until) offer.settle(false, `${this.#peerName()} did not answer in time`);
    else this.#send({ kind: 'offer', token: offer.token });
  }

  #send(message: PeerMessage): void {
    this.#port.send(encodePeerMessage(message));
  }

  /** «in maintenance» alone would leave open which of the two is. */
  #answered(offer: Offer, { ready, because }: { ready: boolean; because: string }): void {
    offer.settle(ready, ready ? because : `${this.#peerName()} says: ${because}`);
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
