/**
 * DisableExternalCache: the peer's flows go straight into the kernel (conntrackd 1.4.7). NEW
 * creates, replacing what is there; UPDATE changes in place, or creates; DELETE deletes. What the
 * kernel caused by this is recognised by the port ids, and by the keys where its events were lost.
 * What this node carries, no message of the peer ends or makes anew; only a standby gives it up.
 */
import type { Logger } from '../../base/logger.js';
import type { Clock, RandomSource, Turns } from '../../base/time.js';
import { protocol, tcpState } from '../../conntrack/constants.js';
import type { Expectation } from '../../conntrack/codec/expectation.js';
import type { InjectedFlows } from '../../conntrack/kernel/mirrorListener.js';
import { ExpectationInjector } from '../../conntrack/kernel/expectationInjector.js';
import { FlowInjector } from '../../conntrack/kernel/flowInjector.js';
import { FlowTable } from '../../conntrack/record/flowTable.js';
import {
  presenceBit,
  recordWord,
  newScratch,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import { CacheCounters } from '../tables/cacheCounters.js';
import type { ExternalStore } from './externalCache.js';
import { FailureLog } from '../failureLog.js';
import { InjectedKeys } from './injectedKeys.js';
import { OrphanExpectations } from './orphanExpectations.js';
import type { SyncSettings } from '../settings.js';
import { messageKind } from '../wire/header.js';

/** What a flow without a timeout gets: conntrackd's attempt fails with EINVAL. */
const leastTimeoutSeconds = 60;
/** SCTP_CONNTRACK_ESTABLISHED and CT_DCCP_OPEN; what is greater is on the way to the end. */
const establishedState = 4;
/** SCTP_CONNTRACK_CLOSED. */
const sctpClosed = 1;
/** Flows held until the kernel has answered. */
const pendingLimit = 8_192;

export interface InjectionPorts {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: RandomSource;
}

/** What the internal cache knows of this node's flows. */
export interface OwnFlows {
  holds(flow: FlowCursor): boolean;
  /** Whether the peer's word ends none of them: always, but on a standby. */
  isProtected(): boolean;
  /** It is the peer's from now on. */
  giveUp(flow: FlowCursor): void;
}

export class DirectInjection implements ExternalStore, InjectedFlows {
  readonly isInjecting = true;
  readonly counters = new CacheCounters();
  readonly expectationCounters = new CacheCounters();
  /** What stands in the kernel for the peer. */
  readonly keys: InjectedKeys;
  readonly #own: OwnFlows;
  readonly #injector: FlowInjector;
  readonly #expectations = new ExpectationInjector();
  readonly #orphans = new OrphanExpectations(
    (content) => this.#expectations.put(content, content.timeoutSeconds ?? leastTimeoutSeconds),
    (errno) => {
      if (errno === 0) this.expectationCounters.created++;
      else this.expectationCounters.createFailed++;
    },
  );
  /** The flows of the present run, for the injector's second tries. */
  readonly #pending: FlowTable;
  readonly #scratch: FlowCursor;
  readonly #turns: Turns;
  readonly #failures: FailureLog;
  #isScheduled = false;

  /** Throws KernelError. */
  constructor(settings: SyncSettings, names: NameTable, ports: InjectionPorts, own: OwnFlows) {
    const seed = (): number => ports.random.below(0x1_0000_0000);
    this.keys = new InjectedKeys(settings.hashLimit, [seed(), seed()]);
    this.#own = own;
    this.#turns = ports.turns;
    this.#failures = new FailureLog('a flow of the peer could not be injected', ports);
    this.#pending = new FlowTable({ names, limit: pendingLimit, hashSeed: 0 });
    this.#scratch = newScratch(names);
    this.#injector = new FlowInjector(
      { windowTracking: settings.tcpWindowTracking, onExisting: 'replace' },
      { table: this.#pending, cursor: this.#pending.newCursor() },
      (_slot, errno) => {
        this.counters.createFailed++;
        this.#failures.note(errno);
      },
    );
  }

  get portIds(): readonly number[] {
    return [this.#injector.portId, this.#expectations.portId];
  }

  applyFlow(kind: number, flow: FlowCursor, _sequence: number, nowSeconds: number): void {
    // Several messages of one flow must reach the kernel in order, each with its own content.
    if (this.#pending.find(flow) !== 0 || this.#pending.count >= pendingLimit) this.flush();
    const slot = this.#pending.insert(flow, nowSeconds);
    const record = this.#pending.seek(slot, this.#scratch);
    const sent = record.knows(presenceBit.timeout) ? record.get(recordWord.timeout) : 0;
    const timeout = sent > 0 ? sent : leastTimeoutSeconds;
    const isOwn = this.#own.holds(record);
    if (isOwn && this.#own.isProtected()) this.#amend(kind, record, slot);
    else if (kind === messageKind.flowDelete) {
      this.counters.destroyed++;
      this.keys.leave(record);
      this.#injector.remove(record, slot);
    } else this.#write(kind, record, slot, timeout, isOwn);
    this.#schedule();
  }

  /**
   * A flow that this node carries is never deleted and made anew, and lives as long as it would
   * without the peer, which may only have it from here. What the peer has seen of it that this node
   * has not, an answer that came another way, is taken.
   */
  #amend(kind: number, record: FlowCursor, slot: number): void {
    if (kind === messageKind.flowDelete) return;
    this.counters.updated++;
    if (!isOpen(record)) record.set(recordWord.presence, record.presence & ~presenceBit.state);
    this.#injector.amend(record, slot);
  }

  /** A flow of before that the peer tells is the peer's: it is changed in place. */
  #write(kind: number, record: FlowCursor, slot: number, timeout: number, wasOwn: boolean): void {
    if (wasOwn) this.#own.giveUp(record);
    this.keys.add(record);
    if (kind === messageKind.flowNew && !wasOwn) {
      this.counters.created++;
      this.#injector.create(record, slot, timeout);
    } else {
      this.counters.updated++;
      this.#injector.update(record, slot, timeout);
    }
  }

  applyExpectation(kind: number, content: Expectation): void {
    const counters = this.expectationCounters;
    if (kind === messageKind.expectationDelete) {
      const isGone = this.#orphans.end(content) || this.#expectations.remove(content) === 0;
      if (isGone) counters.destroyed++;
      else counters.destroyFailed++;
      return;
    }
    // Its master may be among the flows that are gathered.
    this.flush();
    this.#orphans.put(content);
  }

  streamBegan(): void {
    // The kernel holds no number of the peer's stream.
  }

  /** A comparison with the kernel begins: whatever is known of the peer's flows is there before. */
  beginPass(): void {
    this.flush();
    this.keys.beginPass();
  }

  endPass(isComplete: boolean): void {
    this.keys.endPass(isComplete);
  }

  holds(flow: FlowCursor): boolean {
    return this.keys.holds(flow);
  }

  ended(flow: FlowCursor): boolean {
    return this.keys.remove(flow);
  }

  takeOver(): void {
    this.keys.clear();
  }

  /** Sends what is gathered. */
  flush(): void {
    this.#injector.flush();
    for (let slot = this.#pending.next(0); slot !== 0; slot = this.#pending.next(slot)) {
      this.#pending.remove(slot);
    }
    if (this.#orphans.count > 0) this.#orphans.tryAgain();
  }

  close(): void {
    this.#pending.names.without(this.#pending);
    this.flush();
    this.#injector.close();
    this.#expectations.close();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#turns.next(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }
}

/** Whether its state, if it has one, is none on the way to its end. */
function isOpen(flow: FlowCursor): boolean {
  if (!flow.knows(presenceBit.state)) return true;
  const { state } = flow;
  if (flow.protocol === protocol.tcp) {
    return state <= tcpState.established || state === tcpState.synSent2;
  }
  if (flow.protocol === protocol.sctp && state === sctpClosed) return false;
  return state <= establishedState;
}
