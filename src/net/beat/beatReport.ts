/**
 * What the beat thread knows, as numbers in one Float64Array that the addon fills
 * (src/net/native/beat_report.cc): `factWords` of the thread, then `pathWords` for each path.
 */

/** In the order of PathState in src/net/native/beat_path.h. */
const pathStates = ['unknown', 'living', 'silent', 'blind', 'down'] as const;
/**
 * `unknown`: not heard in this session, or ended in order; it cannot become silent. `blind`: 50
 * datagrams or more in the last tick, so that nothing can be said. `down`: the interface is down,
 * has no carrier or is gone.
 */
export type BeatPathState = (typeof pathStates)[number];

/** In the order of Refusal in the same file, from its second on. */
const refusals = ['length', 'address', 'format', 'seal', 'session', 'sequence'] as const;
export type BeatRefusal = (typeof refusals)[number];

/** In the order of News in src/net/native/beat_thread.h: bit 0 first. */
const newsBits = [
  'isAllSilent',
  'isAllLate',
  'peerLoopStands',
  'ownLoopStands',
  'hasBeat',
  'hasStranger',
] as const;

/** Names of the doubles; times are milliseconds, the others counts since the start. */
const factNames = [
  ...['news', 'ticks', 'sequence', 'lateness', 'loopAge', 'longestStand', 'peerLoopAge'],
  ...['peerLateness', 'peerHeard', 'policy', 'priority', 'refusal', 'overruns', 'cpu'],
  ...['probesSent', 'probesFailed'],
] as const;
const pathNames = [
  ...['index', 'state', 'heard', 'peerInterval', 'sent', 'sendErrors', 'lastErrno', 'accepted'],
  ...['lost', 'silences', 'blindTicks'],
  ...refusals,
] as const;

const mostPaths = 64;

export interface BeatPathReport {
  readonly state: BeatPathState;
  /** Milliseconds since the last beat that counted; undefined before the first. */
  readonly heard: number | undefined;
  /** Milliseconds between the peer's beats on this path, as it says; 0 before the first. */
  readonly peerInterval: number;
  readonly sent: number;
  readonly sendErrors: number;
  /** Of the last send or receive that the kernel refused; 0: none. */
  readonly lastErrno: number;
  readonly accepted: number;
  /** Beats that the peer numbered and that did not come, while the path was living. */
  readonly lost: number;
  readonly silences: number;
  readonly blindTicks: number;
  readonly refused: Readonly<Record<BeatRefusal, number>>;
}

export interface BeatReport {
  /** At least one path is silent, and none is living or blind. */
  readonly isAllSilent: boolean;
  /** The same, counting as silent who is beyond half of its limit: time to ask the neighbours. */
  readonly isAllLate: boolean;
  readonly peerLoopStands: boolean;
  readonly ownLoopStands: boolean;
  readonly hasBeat: boolean;
  readonly hasStranger: boolean;
  readonly ticks: number;
  /** Milliseconds by which the thread was late at worst, in the last 10 to 20 s. */
  readonly lateness: number;
  /** Milliseconds for which the own main loop stood still at most, since the last report. */
  readonly longestStand: number;
  readonly peerLoopAge: number;
  readonly peerLateness: number;
  /** Milliseconds since the newest beat, over all paths; undefined before the first. */
  readonly peerHeard: number | undefined;
  /** `refusal`: errno where the kernel did not give the priority that follows from main's. */
  readonly scheduling: {
    readonly policy: 'other' | 'fifo' | 'rr';
    readonly priority: number;
    readonly refusal: number;
    /** How often a second's share of the core (2 %) was used up. */
    readonly overruns: number;
  };
  /** Milliseconds of CPU time of the thread. */
  readonly cpu: number;
  readonly probes: { readonly sent: number; readonly failed: number };
  /** By the index of the path. */
  readonly paths: ReadonlyMap<number, BeatPathReport>;
}

/** Where the addon writes a report. */
export function reportWords(): Float64Array {
  return new Float64Array(factNames.length + mostPaths * pathNames.length);
}

/** `count` paths stand in `words`. */
export function readReport(words: Float64Array, count: number): BeatReport {
  const fact = named(factNames, words, 0);
  const paths = new Map<number, BeatPathReport>();
  for (let i = 0; i < count; i++) {
    const path = named(pathNames, words, factNames.length + i * pathNames.length);
    paths.set(path('index'), readPath(path));
  }
  // Checked boundary: one entry for each name.
  const news = Object.fromEntries(
    newsBits.map((name, bit) => [name, (fact('news') & (1 << bit)) !== 0]),
  ) as Record<(typeof newsBits)[number], boolean>;
  return {
    ...news,
    ticks: fact('ticks'),
    lateness: fact('lateness'),
    longestStand: fact('longestStand'),
    peerLoopAge: fact('peerLoopAge'),
    peerLateness: fact('peerLateness'),
    peerHeard: ifEver(fact('peerHeard')),
    scheduling: {
      // SCHED_OTHER, SCHED_FIFO, SCHED_RR of linux/sched.h.
      policy: (['other', 'fifo', 'rr'] as const)[fact('policy')] ?? 'other',
      priority: fact('priority'),
      refusal: fact('refusal'),
      overruns: fact('overruns'),
    },
    cpu: fact('cpu'),
    probes: { sent: fact('probesSent'), failed: fact('probesFailed') },
    paths,
  };
}

function readPath(path: Reader<(typeof pathNames)[number]>): BeatPathReport {
  // Checked boundary: one entry for each name.
  const refused = Object.fromEntries(refusals.map((name) => [name, path(name)])) as Record<
    BeatRefusal,
    number
  >;
  return {
    state: pathStates[path('state')] ?? 'unknown',
    heard: ifEver(path('heard')),
    peerInterval: path('peerInterval'),
    sent: path('sent'),
    sendErrors: path('sendErrors'),
    lastErrno: path('lastErrno'),
    accepted: path('accepted'),
    lost: path('lost'),
    silences: path('silences'),
    blindTicks: path('blindTicks'),
    refused,
  };
}

type Reader<Name extends string> = (name: Name) => number;

function named<Name extends string>(
  names: readonly Name[],
  words: Float64Array,
  at: number,
): Reader<Name> {
  return (name) => words[at + names.indexOf(name)] ?? 0;
}

function ifEver(milliseconds: number): number | undefined {
  return milliseconds < 0 ? undefined : milliseconds;
}
