/**
 * Committing the external cache into the kernel for a role change or a client: one commit at a
 * time, tied to the epoch of its role, cancelled by a newer one. Between commit and takeover each
 * further message of the peer is applied to the kernel as well, so that nothing is lost in between.
 * After a split what the peer has is merged instead: created where it is missing, and never written
 * over a flow of this kernel that was ever answered.
 */
import type { Logger } from '../../base/logger.js';
import {
  milliseconds,
  subtractTime,
  toMilliseconds,
  wholeSeconds,
  type Clock,
  type Microseconds,
  type Turns,
} from '../../base/time.js';
import { FlowCommit, timeoutFor, type CommitResult } from '../../conntrack/kernel/flowCommit.js';
import {
  FlowInjector,
  type InjectionCounts,
  type OnExisting,
} from '../../conntrack/kernel/flowInjector.js';
import { nullSocket, type InjectionSocket } from '../../conntrack/kernel/injectionSocket.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';
import type { ExternalCache, ExternalListener } from '../remote/externalCache.js';
import type { InternalCache } from '../local/internalCache.js';
import type { KernelFeed } from '../local/kernelFeed.js';
import { nothingCommitted, type CommitSummary, type FlowTableName } from '../messages.js';
import type { SyncSettings } from '../settings.js';
import { commitExpectations } from './expectationCommit.js';
import { FailureLog } from '../failureLog.js';

/** A commit that has seen this many flows runs compiled. */
const rehearsalLimit = 20_000;
/** A smaller table is committed in no time. */
const leastRehearsal = 1_000;
/** At most ten progress messages a second cross the thread boundary. */
const progressPause = milliseconds(100);
const loggedFailures = 5;
export const tableIsFull =
  "the kernel's table is full, further flows were not tried: raise net.netfilter.nf_conntrack_max";

export interface CommitWorkOptions {
  readonly settings: () => SyncSettings;
  readonly internal: InternalCache;
  readonly external: ExternalCache;
  readonly feed: () => KernelFeed;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly logger: Logger;
  /** Absent: the kernel's. */
  readonly openSocket?: () => InjectionSocket;
}

export interface CommitRequest {
  readonly table: FlowTableName | 'all';
  readonly onExisting: OnExisting;
  readonly onProgress: (committed: number) => void;
  /**
   * The kernel tells nothing of flows that begin meanwhile: whoever asks for it compares
   * afterwards.
   */
  readonly isUnheard?: boolean;
}

/** What a look at the external cache found. */
export interface MergePass {
  /** Were missing here. */
  readonly created: number;
  /** Refused, most of all because another flow of this kernel has their reply tuple. */
  readonly failed: number;
  readonly cancelled: boolean;
}

/** `takeover`: the peer's messages are the truth. `merge`: they only add what is missing. */
type Following = 'takeover' | 'merge';

export class CommitWork implements ExternalListener {
  last: (CommitSummary & { readonly at: Microseconds }) | undefined;
  readonly #options: CommitWorkOptions;
  #running: { cancel(): void } | undefined;
  #rehearsal: FlowCommit | undefined;
  /** The size of the table at which the next one is due. */
  #rehearseAt = leastRehearsal;
  #done: Promise<unknown> | undefined;
  /**
   * Applies the peer's further messages: from a role's commit to the end of its takeover, and
   * during a merge.
   */
  #follower: FlowInjector | undefined;
  #followerClosed: () => void = () => undefined;
  #following: Following | undefined;
  readonly #followFailures: FailureLog;
  readonly #cursor: FlowCursor;
  #followPending = false;

  constructor(options: CommitWorkOptions) {
    this.#options = options;
    this.#followFailures = new FailureLog('a change of the peer could not be followed', options);
    this.#cursor = options.external.table.newCursor();
  }

  get isRunning(): boolean {
    return this.#done !== undefined;
  }

  get following(): Following | undefined {
    return this.#following;
  }

  /** Flows that following as `merge` created so far. */
  followed(): number {
    this.#flushFollower();
    return this.#following === 'merge' ? createdOf(this.#follower?.counts) : 0;
  }

  /** Resolves when what runs has ended; what was injected stays. */
  async cancel(): Promise<void> {
    this.#running?.cancel();
    await this.#done?.catch(() => undefined);
  }

  /** Resolves when none runs; one that follows at once is waited for too. */
  async settled(): Promise<void> {
    while (this.#done !== undefined) await this.#done.catch(() => undefined);
  }

  /** Waits for a commit that runs. Rejects with KernelError. */
  commit(request: CommitRequest): Promise<CommitSummary> {
    return this.#exclusively(() => this.#commit(request));
  }

  /**
   * Creates what the kernel lacks of the external cache, of a former MASTER too; `skip` leaves a
   * slot out. An answered flow of this kernel stays, also where only the reply tuple is the same.
   * Rejects with KernelError.
   */
  async merge(onProgress: () => void, skip?: (slot: number) => boolean): Promise<MergePass> {
    const { external } = this.#options;
    const left = skip === undefined ? {} : { skip };
    const result = await this.#exclusively(() =>
      this.#commitFlows(external.table, { onExisting: 'liberal', onProgress, ...left }),
    );
    const failed = result.failed + result.untried;
    return { created: createdOf(result), failed, cancelled: result.cancelled };
  }

  /**
   * Makes the windows of this kernel's TCP flows liberal: their packets may have gone through the
   * peer meanwhile, and a stale window calls every further one INVALID. Rejects with KernelError.
   */
  async openWindows(onProgress: () => void): Promise<{ readonly cancelled: boolean }> {
    const { internal } = this.#options;
    return this.#exclusively(() =>
      this.#commitFlows(internal.table, { onExisting: 'keep', windowsOnly: true, onProgress }),
    );
  }

  /**
   * The first 10,000 flows through code that never ran cost 90 ms, later ones 6: so the commit is
   * rehearsed, all but the kernel's part, whenever the table has doubled, until the code is
   * compiled. To be called every now and then.
   */
  rehearse(): void {
    const { external, clock, turns } = this.#options;
    const { alive } = external.table;
    if (this.isRunning || this.#rehearsal !== undefined || alive < this.#rehearseAt) return;
    this.#rehearseAt = alive < rehearsalLimit ? 2 * alive : Infinity;
    const rehearsal = new FlowCommit(
      external.table,
      {
        windowTracking: this.#options.settings().tcpWindowTracking,
        onExisting: 'keep',
        overdue: 'keep',
        onProgress: (flows) => {
          if (flows >= rehearsalLimit) rehearsal.cancel();
        },
        socket: nullSocket,
      },
      clock,
      turns,
    );
    this.#rehearsal = rehearsal;
    void rehearsal.done.finally(() => {
      this.#rehearsal = undefined;
    });
  }

  /**
   * From now on each accepted change of the external cache goes to the kernel too. Throws
   * KernelError.
   */
  follow(as: Following): void {
    if (this.#following === as) return;
    this.stopFollowing();
    const { external, internal, feed, settings, openSocket } = this.#options;
    // Thrown before anything is remembered: the next call tries again.
    const follower = new FlowInjector(
      {
        windowTracking: settings().tcpWindowTracking,
        onExisting: as === 'takeover' ? 'replace' : 'liberal',
        isUnanswered: (flow) => internal.isUnanswered(flow),
      },
      { table: external.table, cursor: external.table.newCursor() },
      (_slot, errno) => {
        this.#followFailures.note(errno);
      },
      openSocket?.(),
    );
    this.#followerClosed = feed().addOwn(follower.portId);
    this.#follower = follower;
    this.#following = as;
    external.listen(this);
  }

  stopFollowing(): void {
    if (this.#follower === undefined) return;
    this.#flushFollower();
    this.#options.external.unlisten(this);
    this.#follower.close();
    this.#followerClosed();
    this.#follower = undefined;
    this.#following = undefined;
  }

  flowApplied(slot: number): void {
    const { external, settings, clock } = this.#options;
    const flow = external.table.seek(slot, this.#cursor);
    const nowSeconds = wholeSeconds(clock.now());
    const timeout = timeoutFor(flow, nowSeconds, settings().commitTimeoutSeconds);
    if (this.#following === 'merge') this.#follower?.create(flow, slot, timeout);
    else this.#follower?.update(flow, slot, timeout);
    this.#scheduleFlush();
  }

  flowEnding(slot: number): void {
    const flow = this.#options.external.table.seek(slot, this.#cursor);
    // The end of the peer's copy says nothing about a flow that may live here.
    if (this.#following === 'takeover') this.#follower?.remove(flow, slot);
    // The record is freed behind this call, and a retry would need it.
    this.#flushFollower();
  }

  /** One at a time. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#rehearsal?.cancel();
    // Looked at and set without a pause in between: two that wait do not begin together.
    while (this.#done !== undefined) await this.#done.catch(() => undefined);
    const done = work().finally(() => {
      this.#done = undefined;
      this.#running = undefined;
    });
    this.#done = done;
    return done;
  }

  async #commit(request: CommitRequest): Promise<CommitSummary> {
    const { clock, external } = this.#options;
    const startedAt = clock.now();
    const flows =
      request.table === 'expect' ? undefined : await this.#commitTable(external.table, request);
    const expectations = flows?.cancelled === true ? {} : await this.#commitExpectations(request);
    const durationMs = toMilliseconds(subtractTime(clock.now(), startedAt));
    const summary = { ...nothingCommitted, ...flowSummary(flows), ...expectations, durationMs };
    this.last = { ...summary, at: clock.now() };
    return summary;
  }

  async #commitExpectations({ table }: CommitRequest): Promise<Partial<CommitSummary>> {
    const { external, clock, turns, feed, logger, settings } = this.#options;
    // All: with ExpectationSync only, as in conntrackd 1.4.7.
    const isAsked = table === 'all' ? settings().expectationSync !== 'off' : table === 'expect';
    if (!isAsked) return {};
    const failures = new FailureLog('an expectation could not be committed', { clock, logger });
    let cancelled = false;
    this.#running = { cancel: () => (cancelled = true) };
    const counts = await commitExpectations(external.expectations, {
      ...{ clock, turns, isOver: () => cancelled },
      fixedTimeoutSeconds: settings().commitTimeoutSeconds,
      onPort: (portId) => feed().addOwn(portId),
      onFailure: (errno) => {
        failures.note(errno);
      },
    });
    return { expectations: counts.committed, expectationsFailed: counts.failed, cancelled };
  }

  async #commitTable(table: FlowTable, request: CommitRequest): Promise<CommitResult> {
    if (request.isUnheard !== true) return this.#commitFlows(table, request);
    const feed = this.#options.feed();
    feed.subscribeNew(false);
    try {
      return await this.#commitFlows(table, request);
    } finally {
      feed.subscribeNew(true);
    }
  }

  async #commitFlows(
    table: FlowTable,
    request: Pick<CommitRequest, 'onExisting' | 'onProgress'> & {
      readonly windowsOnly?: boolean;
      readonly skip?: (slot: number) => boolean;
    },
  ): Promise<CommitResult> {
    const { clock, turns, openSocket, internal } = this.#options;
    const settings = this.#options.settings();
    const socket = openSocket?.();
    let logged = 0;
    let toldAt = clock.now();
    const commit = new FlowCommit(
      table,
      {
        ...(settings.commitTimeoutSeconds === undefined
          ? {}
          : { fixedTimeoutSeconds: settings.commitTimeoutSeconds }),
        windowTracking: settings.tcpWindowTracking,
        onExisting: request.onExisting,
        isUnanswered: (flow) => internal.isUnanswered(flow),
        windowsOnly: request.windowsOnly ?? false,
        ...(request.skip === undefined ? {} : { skip: request.skip }),
        overdue: 'keep',
        ...(socket === undefined ? {} : { socket }),
        onProgress: (committed) => {
          if (subtractTime(clock.now(), toldAt) < progressPause) return;
          toldAt = clock.now();
          request.onProgress(committed);
        },
        onFailure: (_slot, errno) => {
          if (logged++ < loggedFailures) {
            this.#options.logger.log('warning', 'a flow could not be committed', { errno });
          }
        },
      },
      clock,
      turns,
    );
    this.#running = commit;
    const result = await commit.done.finally(this.#options.feed().addOwn(commit.portId));
    if (result.tableFull) {
      const { committed, failed, untried } = result;
      this.#options.logger.log('error', tableIsFull, { committed, failed, untried });
    }
    return result;
  }

  #scheduleFlush(): void {
    if (this.#followPending) return;
    this.#followPending = true;
    this.#options.turns.next(() => {
      this.#followPending = false;
      this.#flushFollower();
    });
  }

  #flushFollower(): void {
    this.#follower?.flush();
  }
}

/** Nothing of flows that were not asked for. */
function flowSummary(flows: CommitResult | undefined): Partial<CommitSummary> {
  if (flows === undefined) return {};
  const { committed, failed, tableFull, untried, cancelled } = flows;
  return { entries: committed, failed: failed + untried, tableFull, untried, cancelled };
}

function createdOf(counts: InjectionCounts | undefined): number {
  return counts === undefined ? 0 : counts.requested - counts.kept - counts.failed;
}
