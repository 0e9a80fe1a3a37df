/** What a report says that the one before did not. Pure. */
import type { BeatPathState, BeatReport } from './beatReport.js';
import type { HeardBeat } from './heardBeat.js';

export type BeatNews =
  | { readonly kind: 'path'; readonly path: string; readonly state: BeatPathState }
  /** Every path is beyond half of its limit: said once, and again after one was heard. */
  | { readonly kind: 'allLate'; readonly milliseconds: number }
  /** Every path is silent; `milliseconds` since the newest beat on any. */
  | { readonly kind: 'allSilent'; readonly milliseconds: number }
  /** The peer's thread beats, and its main loop has not turned for so long. */
  | { readonly kind: 'peerLoopStands'; readonly milliseconds: number }
  | { readonly kind: 'peerLoopTurns' }
  | { readonly kind: 'ownLoopStood'; readonly milliseconds: number }
  /** The limits of silence follow how late the peer's thread says it was. */
  | { readonly kind: 'peerLateness'; readonly milliseconds: number }
  /** The peer says something else than before. */
  | { readonly kind: 'beat'; readonly beat: HeardBeat }
  /** A verified beat of another session than the one believed. */
  | { readonly kind: 'stranger'; readonly beat: HeardBeat };

export interface NewsInputs {
  /** Paths by their index. */
  readonly names: ReadonlyMap<number, string>;
  /** Milliseconds; 0: never told. */
  readonly ownLoopLimit: number;
  /** Where there is a new one. */
  readonly beat: HeardBeat | undefined;
  readonly stranger: HeardBeat | undefined;
}

/** In the order in which they are told: what the own loop missed, what the peer says, what it does. */
export function newsOf(
  before: BeatReport | undefined,
  after: BeatReport,
  inputs: NewsInputs,
): BeatNews[] {
  const { ownLoopLimit, beat, stranger } = inputs;
  const { longestStand } = after;
  const stood = ownLoopLimit > 0 && longestStand >= ownLoopLimit;
  return [
    ...(stood ? [{ kind: 'ownLoopStood', milliseconds: longestStand } as const] : []),
    ...(stranger === undefined ? [] : [{ kind: 'stranger', beat: stranger } as const]),
    ...(beat === undefined ? [] : [{ kind: 'beat', beat } as const]),
    ...pathNews(before, after, inputs.names),
    ...peerNews(before, after),
  ];
}

function pathNews(
  before: BeatReport | undefined,
  after: BeatReport,
  names: ReadonlyMap<number, string>,
): BeatNews[] {
  return [...after.paths].flatMap(([index, { state }]) => {
    const path = names.get(index);
    const known = before?.paths.get(index)?.state ?? 'unknown';
    return path === undefined || state === known ? [] : [{ kind: 'path', path, state } as const];
  });
}

function peerNews(before: BeatReport | undefined, after: BeatReport): BeatNews[] {
  const news: BeatNews[] = [];
  const begins = (what: 'isAllLate' | 'isAllSilent' | 'peerLoopStands'): boolean =>
    after[what] && before?.[what] !== true;
  if (after.peerLateness !== (before?.peerLateness ?? 0)) {
    news.push({ kind: 'peerLateness', milliseconds: after.peerLateness });
  }
  const milliseconds = after.peerHeard ?? 0;
  if (begins('isAllLate')) news.push({ kind: 'allLate', milliseconds });
  if (begins('isAllSilent')) news.push({ kind: 'allSilent', milliseconds });
  if (begins('peerLoopStands')) {
    news.push({ kind: 'peerLoopStands', milliseconds: after.peerLoopAge });
  }
  if (!after.peerLoopStands && before?.peerLoopStands === true) {
    news.push({ kind: 'peerLoopTurns' });
  }
  return news;
}
