/**
 * The beat thread of a simulated node: sends the statement on each path at each tick, notes what
 * arrives, says which path lives, and when all are silent. It knows no roles.
 */
import { addTime, microseconds, subtractTime, type Microseconds } from '../../../src/base/time.js';
import type { AgreementEvent } from '../../../src/agreement/agreementEvents.js';
import type { PathState, UnitStatement } from '../../../src/agreement/statement.js';

export interface ModelBeat {
  readonly from: string;
  readonly session: string;
  readonly sequence: number;
  readonly loopAge: Microseconds;
  readonly hasEnded: boolean;
  readonly says: UnitStatement;
}

export type BareEvent = AgreementEvent extends infer Event
  ? Event extends AgreementEvent
    ? Omit<Event, 'at'>
    : never
  : never;

interface Heard {
  at: Microseconds;
  state: PathState;
}

interface PeerView {
  readonly paths: Map<string, Heard>;
  session: string;
  sequence: number;
  says: UnitStatement | undefined;
  hasEnded: boolean;
  limit: Microseconds;
  /** How much of the limit was said to be silent. */
  said: 'nothing' | 'half' | 'whole';
  standing: boolean;
}

export const beatInterval = microseconds(20_000);
/** A loop is said to stand still after this. */
const standstill = microseconds(100_000);

export class BeatModel {
  readonly #peers = new Map<string, PeerView>();
  readonly #changed = new Map<string, Record<string, PathState>>();
  readonly #raise: (event: BareEvent) => void;
  readonly #hasCarrier: (path: string) => boolean;

  constructor(raise: (event: BareEvent) => void, hasCarrier: (path: string) => boolean) {
    this.#raise = raise;
    this.#hasCarrier = hasCarrier;
  }

  watch(peer: string, limit: Microseconds): void {
    const view = this.#peers.get(peer);
    if (view !== undefined) view.limit = limit;
  }

  hear(path: string, beat: ModelBeat, now: Microseconds): void {
    const view = this.#view(beat.from);
    const before = view.paths.get(path);
    view.paths.set(path, { at: now, state: before?.state ?? 'unknown' });
    view.said = 'nothing';
    const isNew = beat.session !== view.session;
    if (isNew || beat.sequence > view.sequence) this.#read(view, path, beat, isNew);
    this.#become(beat.from, path, beat.hasEnded ? 'unknown' : 'living');
    this.#tell();
  }

  #read(view: PeerView, path: string, beat: ModelBeat, isNew: boolean): void {
    view.session = beat.session;
    view.sequence = beat.sequence;
    const { says, hasEnded, session, sequence, from: peer } = beat;
    const isOther = says !== view.says || hasEnded !== view.hasEnded;
    if (isNew || isOther) {
      const quality = { lateness: microseconds(0), hasRealTime: true, hasEnded };
      this.#raise({ kind: 'statement', peer, path, session, sequence, ...quality, says });
    }
    view.says = says;
    view.hasEnded = hasEnded;
    const stands = beat.loopAge >= standstill;
    if (stands !== view.standing) {
      const lasted = stands ? beat.loopAge : microseconds(0);
      this.#raise({ kind: 'peerLoopStandsStill', peer, lasted });
    }
    view.standing = stands;
  }

  flood(path: string, isFlooded: boolean): void {
    for (const [peer, { paths }] of this.#peers) {
      const state = paths.get(path)?.state;
      if (state === undefined || (state === 'blind') === isFlooded) continue;
      this.#become(peer, path, isFlooded ? 'blind' : 'living');
    }
    this.#tell();
  }

  /** Time in which the thread did not run is no silence. */
  pause(lasted: Microseconds): void {
    for (const { paths } of this.#peers.values()) {
      for (const heard of paths.values()) heard.at = addTime(heard.at, lasted);
    }
  }

  /** After the sockets were emptied. */
  judge(now: Microseconds): void {
    for (const [peer, view] of this.#peers) {
      for (const [path, { at, state }] of view.paths) {
        if (!this.#hasCarrier(path)) this.#become(peer, path, 'down');
        else if (state === 'down') this.#become(peer, path, 'silent');
        else if (state === 'living' && subtractTime(now, at) >= view.limit) {
          this.#become(peer, path, 'silent');
        }
      }
      this.#tell();
      this.#judgeAll(peer, view, now);
    }
  }

  #judgeAll(peer: string, view: PeerView, now: Microseconds): void {
    const waited = [...view.paths.values()].filter(({ state }) => state !== 'unknown');
    if (waited.length === 0 || waited.some(({ state }) => state === 'blind')) return;
    if (waited.every(({ state }) => state === 'down')) return;
    const lasted = subtractTime(now, microseconds(Math.max(...waited.map(({ at }) => at))));
    const reached = lasted >= view.limit ? 'whole' : lasted >= view.limit / 2 ? 'half' : 'nothing';
    if (reached === 'nothing' || reached === view.said || view.said === 'whole') return;
    view.said = reached;
    this.#raise({ kind: 'allSilent', peer, lasted });
  }

  /** All that changed at once, before anything else is said. */
  #tell(): void {
    for (const [peer, states] of this.#changed) {
      this.#changed.delete(peer);
      this.#raise({ kind: 'paths', peer, states });
    }
  }

  #become(peer: string, path: string, state: PathState): void {
    const heard = this.#view(peer).paths.get(path);
    if (heard === undefined || heard.state === state) return;
    heard.state = state;
    this.#changed.set(peer, { ...this.#changed.get(peer), [path]: state });
  }

  #view(peer: string): PeerView {
    const known = this.#peers.get(peer);
    if (known !== undefined) return known;
    const view: PeerView = {
      ...{ paths: new Map<string, Heard>(), session: '', sequence: 0, says: undefined },
      ...{
        limit: microseconds(100_000),
        said: 'nothing' as const,
        standing: false,
        hasEnded: false,
      },
    };
    this.#peers.set(peer, view);
    return view;
  }
}
