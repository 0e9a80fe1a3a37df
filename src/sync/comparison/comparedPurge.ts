/**
 * A purge by content: the MASTER says for each leftover whether its kernel holds it or it has ended
 * it, and only those are removed. The kernel is read twice: for the keys, and to remove what is
 * still a leftover by then.
 */
import {
  milliseconds,
  seconds,
  subtractTime,
  wholeSeconds,
  type Microseconds,
} from '../../base/time.js';
import { FlowInjector } from '../../conntrack/kernel/flowInjector.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import { Comparison } from './comparison.js';
import type { ComparisonEngine } from './comparisonEngine.js';
import type { OwnRole } from './ownRole.js';
import { FailureLog } from '../failureLog.js';
import { keyHash, keyRest, type KeySeeds } from '../tables/flowKeyHash.js';
import { KeyDigests, partCount, partOf } from '../wire/keyDigests.js';
import type { KeySet } from '../tables/keySet.js';
import type { KeyMessage, KeyWords } from '../wire/keyMessage.js';
import type { Comparable, PeerMessage } from '../wire/peerMessage.js';

const askAgain = milliseconds(500);
/** The MASTER may have a large table to read first. */
const openTimeout = seconds(20);

/** What a purge by content came to. */
export type ComparedOutcome =
  | {
      readonly kind: 'compared';
      readonly removed: number;
      /** Leftovers that stay: the MASTER neither holds nor ended them. */
      readonly neither: number;
    }
  /** The MASTER cannot list what it holds. */
  | { readonly kind: 'cannot' }
  /** No answer, no MASTER, or a new role: nothing was decided. */
  | { readonly kind: 'undecided'; readonly because: string };

/** The peer, where it may be one that can list its flows. */
export interface ComparingPeer {
  /** `unknown`: it is silent, or was not greeted yet. */
  ability(): 'compares' | 'cannot' | 'unknown';
  /** Rejects with KernelError. `isOver`: another role, whose flows stay. */
  purge(isOver: () => boolean): Promise<ComparedOutcome>;
}

export interface ComparePort {
  send(message: PeerMessage): void;
  sendKeys(message: KeyMessage): void;
}

interface Opening {
  readonly token: number;
  readonly startedAt: Microseconds;
  askedAt: Microseconds;
  readonly settle: (state: Comparable, seeds: KeySeeds) => void;
}

export class ComparedPurge {
  readonly #engine: ComparisonEngine;
  readonly #role: Pick<OwnRole, 'leftovers'>;
  readonly #port: ComparePort;
  #opening: Opening | undefined;
  #comparison: Comparison | undefined;
  #compared: (() => void) | undefined;

  constructor(engine: ComparisonEngine, role: Pick<OwnRole, 'leftovers'>, port: ComparePort) {
    this.#engine = engine;
    this.#role = role;
    this.#port = port;
  }

  /** Rejects with KernelError. `isOver`: another role, whose flows stay. */
  async run(isOver: () => boolean): Promise<ComparedOutcome> {
    const { clock, random } = this.#engine.ports;
    const token = random.below(0x1_0000_0000);
    const [state, seeds] = await this.#open(token);
    if (state === 'cannot') return { kind: 'cannot' };
    if (state !== 'ready') return { kind: 'undecided', because: notReady[state] };
    const { digests, leftovers } = await this.#readKeys(seeds, isOver);
    if (isOver()) return { kind: 'undecided', because: 'another role' };
    const onlyEnded = this.#engine.externalMode.injected.isInjecting;
    const table = { token, digests, leftovers: (part: number) => leftovers[part]!, onlyEnded };
    const send = (message: KeyMessage): void => {
      this.#port.sendKeys(message);
    };
    const comparison = new Comparison(table, send, clock.now());
    await this.#untilDone(comparison);
    if (isOver()) return { kind: 'undecided', because: 'another role' };
    if (!comparison.isDone) return { kind: 'undecided', because: 'the MASTER fell silent' };
    const removed = await this.#remove(comparison.removable, seeds, isOver);
    return { kind: 'compared', removed, neither: comparison.neither };
  }

  comparable(token: number, state: Comparable, seeds: KeySeeds): void {
    const opening = this.#opening;
    if (opening?.token !== token || state === 'later') return;
    opening.settle(state, seeds);
  }

  received(message: KeyMessage): void {
    this.#comparison?.received(message, this.#engine.ports.clock.now());
    this.#look();
  }

  tick(now: Microseconds): void {
    this.#comparison?.tick(now);
    this.#look();
    const opening = this.#opening;
    if (opening === undefined) return;
    if (subtractTime(now, opening.startedAt) >= openTimeout) opening.settle('later', [0, 0]);
    else if (subtractTime(now, opening.askedAt) >= askAgain) this.#ask(opening, now);
  }

  /** The engine ends. */
  close(): void {
    this.#opening?.settle('later', [0, 0]);
    this.#compared?.();
  }

  #open(token: number): Promise<readonly [Comparable, KeySeeds]> {
    const now = this.#engine.ports.clock.now();
    return new Promise((resolve) => {
      const settle = (state: Comparable, seeds: KeySeeds): void => {
        this.#opening = undefined;
        resolve([state, seeds]);
      };
      this.#opening = { token, startedAt: now, askedAt: now, settle };
      this.#ask(this.#opening, now);
    });
  }

  #ask(opening: Opening, now: Microseconds): void {
    opening.askedAt = now;
    this.#port.send({ kind: 'compare', token: opening.token });
  }

  #untilDone(comparison: Comparison): Promise<void> {
    return new Promise((resolve) => {
      this.#comparison = comparison;
      this.#compared = () => {
        this.#comparison = undefined;
        this.#compared = undefined;
        resolve();
      };
      this.#look();
    });
  }

  #look(): void {
    const comparison = this.#comparison;
    if (comparison === undefined) return;
    const isOver = comparison.isDone || comparison.hasFailed(this.#engine.ports.clock.now());
    if (isOver) this.#compared?.();
  }

  async #readKeys(
    seeds: KeySeeds,
    isOver: () => boolean,
  ): Promise<{ readonly digests: KeyDigests; readonly leftovers: readonly KeyWords[] }> {
    const digests = new KeyDigests();
    const parts: number[][] = Array.from({ length: partCount }, () => []);
    await this.#each(isOver, (flow, nowSeconds) => {
      const hash = keyHash(flow, seeds);
      const rest = keyRest(flow, seeds);
      digests.add(hash, rest);
      if (this.#role.leftovers.isStill(flow, nowSeconds)) parts[partOf(hash)]!.push(hash, rest);
    });
    return { digests, leftovers: parts.map((keys) => Uint32Array.from(keys)) };
  }

  async #remove(keys: KeySet, seeds: KeySeeds, isOver: () => boolean): Promise<number> {
    if (keys.count === 0) return 0;
    const { feed, internal, ports } = this.#engine;
    const { leftovers } = this.#role;
    const failures = new FailureLog('a flow could not be purged', ports);
    const how = { windowTracking: false, onExisting: 'keep' } as const;
    const injector = new FlowInjector(how, undefined, (_slot, errno) => {
      failures.note(errno);
    });
    const closed = feed.addOwn(injector.portId);
    try {
      await this.#each(isOver, (flow, nowSeconds) => {
        if (!keys.has(keyHash(flow, seeds), keyRest(flow, seeds))) return;
        if (!leftovers.isStill(flow, nowSeconds)) return;
        injector.remove(flow, 0);
        internal.purged(flow);
      });
      if (!isOver()) injector.flush();
      return injector.counts.requested - injector.counts.failed;
    } finally {
      injector.close();
      closed();
    }
  }

  /** The flows of the kernel that the peer is told. */
  async #each(
    isOver: () => boolean,
    use: (flow: FlowCursor, nowSeconds: number) => void,
  ): Promise<void> {
    const { names, filter, externalMode, ports } = this.#engine;
    const { injected } = externalMode;
    let nowSeconds = 0;
    const dump = new KernelDump({ kind: 'flows' }, names, {
      batch: () => (nowSeconds = wholeSeconds(ports.clock.now())),
      flow: (flow) => {
        if (isOver()) dump.cancel();
        else if (filter.accepts(flow) && !injected.holds(flow)) use(flow, nowSeconds);
      },
    });
    await dump.done;
  }
}

const notReady = {
  later: 'the MASTER did not answer in time',
  notMaster: 'the peer is not MASTER',
} as const;
