/**
 * Turns transitions into history entries: one per instance and group, completed when a takeover is.
 */
import {
  seconds,
  subtractTime,
  toMilliseconds,
  type Clock,
  type Microseconds,
} from '../../base/time.js';
import type { HistoryEntry } from '../../control/statusAnswer.js';
import type { CommitSummary, MergeSummary } from '../../sync/messages.js';
import type { RoleChange, Transition } from '../../vrrp/routerPorts.js';
import type { History } from '../disk/history.js';
import { problem, type Finding } from '../problemTable/table.js';
import { isoTime } from '../../base/isoTime.js';

/** How long `status` remembers another master. */
const rivalMemory = seconds(10);
/** Members of a group hear the same one from its address on each network. */
const splitPause = seconds(3);

export class RoleRecorder {
  readonly #history: History;
  readonly #clock: Clock;
  /** The unit whose takeover is on its way, as `kind name`, and how long the other was silent. */
  #takingOver: { readonly unit: string; readonly silence?: Microseconds } | undefined;
  /** The last rival of each unit, and when it was heard. */
  readonly #rivals = new Map<string, { readonly because: string; readonly at: Microseconds }>();

  /** Units that were MASTER beside another, which has merged their flows since. */
  readonly #gaveWay = new Map<string, Microseconds>();

  constructor(history: History, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  transition({ instance, from, to, because, wallClock }: Transition): void {
    this.#history.add({
      at: isoTime(wallClock),
      name: instance,
      kind: 'instance',
      from,
      to,
      because,
    });
  }

  /** A lone instance's role is its state, which was recorded already. */
  roleChanged(change: RoleChange, isGroup: boolean): void {
    const { unit, from, to, because, isResumed, silence } = change;
    const wanted = { unit: `${isGroup ? 'group' : 'instance'} ${unit}` };
    const isTakeover = to === 'MASTER' && !isResumed;
    this.#takingOver = isTakeover ? { ...wanted, ...(silence && { silence }) } : undefined;
    if (!isGroup) return;
    const at = isoTime(this.#clock.wallClock());
    this.#history.add({ at, name: unit, kind: 'group', from, to, because });
  }

  takeoverDone(summary: CommitSummary, duration: Microseconds): void {
    const wanted = this.#takingOver;
    this.#takingOver = undefined;
    if (wanted === undefined) return;
    this.#history.amend(
      (entry) => entry.to === 'MASTER' && `${entry.kind} ${entry.name}` === wanted.unit,
      {
        ...(wanted.silence === undefined ? {} : { silenceMs: toMilliseconds(wanted.silence) }),
        flowsCommitted: summary.entries,
        flowsFailed: summary.failed,
        ...(summary.tableFull ? { tableFull: true } : {}),
        commitMs: summary.durationMs,
        takeoverMs: toMilliseconds(duration),
      },
    );
  }

  /**
   * Two masters were there. One line for each split: otherwise each advertisement of each member
   * would make one.
   */
  split(unit: string, because: string): void {
    const now = this.#clock.now();
    const known = this.#rivals.get(unit);
    this.#rivals.set(unit, { because, at: now });
    const since = known === undefined ? undefined : subtractTime(now, known.at);
    if (since !== undefined && since < (known?.because === because ? rivalMemory : splitPause)) {
      return;
    }
    const at = isoTime(this.#clock.wallClock());
    this.#history.add({ at, name: unit, kind: 'sync', from: 'MASTER', to: 'MASTER', because });
  }

  /** What the merge found goes to the line of the split. */
  merged(unit: string, summary: MergeSummary): void {
    this.#amendMerge(({ kind, name }) => kind === 'sync' && name === unit, summary);
  }

  /**
   * The other MASTER merged the flows of this node: beside the line that tells of its stepping
   * down.
   */
  yieldMerged(unit: string, summary: MergeSummary): void {
    this.#gaveWay.set(unit, this.#clock.now());
    this.#amendMerge(
      ({ kind, name, to }) => kind !== 'sync' && name === unit && to === 'BACKUP',
      summary,
    );
  }

  #amendMerge(matches: (entry: HistoryEntry) => boolean, summary: MergeSummary): void {
    this.#history.amend(matches, {
      flowsMerged: summary.created,
      flowsFailed: summary.failed,
      mergeMs: summary.durationMs,
    });
  }

  /** Two masters, until a while after the last advertisement of the other. */
  problems(): readonly Finding[] {
    const now = this.#clock.now();
    const isRecent = (at: Microseconds): boolean => subtractTime(now, at) < rivalMemory;
    const rivals = [...this.#rivals]
      .filter(([, { at }]) => isRecent(at))
      .map(([unit, { because }]) =>
        problem('two-masters', `${unit}: two masters heard: ${because}`, { subject: unit }),
      );
    const gaveWay = [...this.#gaveWay]
      .filter(([, at]) => isRecent(at))
      .map(([unit]) =>
        problem('split', `${unit}: the MASTER to which this node gave way merged its flows`, {
          subject: unit,
        }),
      );
    return [...rivals, ...gaveWay];
  }
}
