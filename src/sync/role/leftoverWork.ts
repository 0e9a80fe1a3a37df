/**
 * Keeps the leftovers of a role that has left: reads them from the kernel, and removes at once what
 * the MASTER ends. What packets or other programs change here meanwhile is no leftover any more.
 */
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { wholeSeconds, type Clock, type RandomSource, type Turns } from '../../base/time.js';
import { FlowInjector } from '../../conntrack/kernel/flowInjector.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import { keyHash, keyRest, newKeySeeds, type KeySeeds } from '../tables/flowKeyHash.js';
import type { KernelFeed } from '../local/kernelFeed.js';
import { KeySet } from '../tables/keySet.js';
import { Leftovers } from '../comparison/leftovers.js';

export interface LeftoverOptions {
  readonly names: NameTable;
  readonly feed: () => KernelFeed;
  readonly filter: FlowFilter;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** A flow that stands in the kernel because the peer told it (DisableExternalCache). */
  readonly isInjected: (flow: FlowCursor) => boolean;
  /** Whether what the peer ends was ended by a MASTER. */
  readonly isPeerMaster: () => boolean;
  /** A flow is removed here because the MASTER has ended it. */
  readonly endsHere: (flow: FlowCursor) => void;
}

export class LeftoverWork {
  /** Ended by the MASTER, and removed here for that, since the role left. */
  ended = 0;
  readonly #options: LeftoverOptions;
  readonly #seeds: KeySeeds;
  #set: Leftovers | undefined;
  /** What the MASTER ended while the kernel was still being read. */
  #early: KeySet | undefined;
  #injector: FlowInjector | undefined;
  #injectorClosed: () => void = () => undefined;
  #isScheduled = false;
  /** Ends the reading of a role that is over. */
  #dump: KernelDump | undefined;

  constructor(options: LeftoverOptions) {
    this.#options = options;
    this.#seeds = newKeySeeds(options.random);
  }

  get isKept(): boolean {
    return this.#set !== undefined;
  }

  get count(): number {
    return this.#set?.count ?? 0;
  }

  /** The role has left: what the kernel holds now. Resolves when it is read. */
  async begin(): Promise<void> {
    this.drop();
    const set = new Leftovers(this.#seeds);
    this.#set = set;
    this.ended = 0;
    await this.#read(set, () => true);
  }

  /** This node's own work has changed times and ids: those of before count anew. */
  async renew(): Promise<void> {
    const set = this.#set;
    if (set !== undefined) await this.#read(set, (flow) => set.has(flow));
  }

  /** The role is back, or nothing is left over. */
  drop(): void {
    this.#set = undefined;
    this.#early = undefined;
    this.#dump?.cancel();
    this.#dump = undefined;
    this.#closeInjector();
  }

  isStill(flow: FlowCursor, nowSeconds: number): boolean {
    return this.#set?.isStill(flow, nowSeconds) ?? false;
  }

  /**
   * An event of the kernel that this node did not cause: the flow is served here, or has ended by
   * itself.
   */
  touched(flow: FlowCursor): void {
    this.#set?.forget(flow);
  }

  /** The peer has ended a flow. */
  peerEnded(flow: FlowCursor): void {
    const set = this.#set;
    if (set === undefined || !this.#options.isPeerMaster()) return;
    if (set.forget(flow)) this.#remove(flow);
    else this.#early?.add(keyHash(flow, this.#seeds), keyRest(flow, this.#seeds));
  }

  async #read(set: Leftovers, isWanted: (flow: FlowCursor) => boolean): Promise<void> {
    const { names, filter, clock, isInjected, logger } = this.#options;
    this.#dump?.cancel();
    const early = new KeySet();
    this.#early = early;
    let nowSeconds = 0;
    try {
      const dump = new KernelDump({ kind: 'flows' }, names, {
        batch: () => (nowSeconds = wholeSeconds(clock.now())),
        flow: (flow) => {
          if (this.#set !== set || !filter.accepts(flow) || isInjected(flow)) return;
          if (early.has(keyHash(flow, this.#seeds), keyRest(flow, this.#seeds))) this.#remove(flow);
          else if (isWanted(flow)) set.note(flow, nowSeconds);
        },
      });
      this.#dump = dump;
      await dump.done;
    } catch (error) {
      // What is not among them stays in the kernel.
      logger.log('error', 'the leftovers of the role could not be read', {
        reason: errorText(error),
      });
    }
    if (this.#early === early) this.#early = undefined;
  }

  #remove(flow: FlowCursor): void {
    this.ended++;
    try {
      this.#injector ??= this.#openInjector();
      this.#injector.remove(flow, 0);
      // The MASTER hears that it is gone here too: it offers it no longer.
      this.#options.endsHere(flow);
    } catch (error) {
      this.#options.logger.log('error', 'a flow that the MASTER ended could not be removed', {
        reason: errorText(error),
      });
      return;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.turns.next(() => {
      this.#isScheduled = false;
      this.#injector?.flush();
    });
  }

  #openInjector(): FlowInjector {
    const injector = new FlowInjector({ windowTracking: false, onExisting: 'keep' });
    this.#injectorClosed = this.#options.feed().addOwn(injector.portId);
    return injector;
  }

  #closeInjector(): void {
    this.#injector?.flush();
    this.#injector?.close();
    this.#injectorClosed();
    this.#injector = undefined;
    this.#injectorClosed = () => undefined;
  }
}
