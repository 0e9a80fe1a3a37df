/**
 * What is done to a cluster in one life, as a list that can be printed, repeated and shortened.
 * Everything else that happens follows from the seed and from this list.
 */
import type { ControlRequest } from '../../../src/control/protocol.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import type { SegmentName } from '../network/network.js';
import type { Impairment } from '../network/segment.js';
import { usualSettings, type ClusterSettings } from '../node/configuration.js';

/** Index of a node. */
export type NodeIndex = 0 | 1;

/** Times and durations in milliseconds. `both` nodes where `node` is absent. */
export type Fault =
  | { readonly kind: 'crash'; readonly node?: NodeIndex; readonly restart: number }
  | { readonly kind: 'stop'; readonly node?: NodeIndex; readonly restart: number }
  | { readonly kind: 'powerOff'; readonly node?: NodeIndex; readonly boot: number }
  | { readonly kind: 'workerDeath'; readonly node: NodeIndex }
  | { readonly kind: 'freeze'; readonly node?: NodeIndex; readonly for: number }
  | {
      readonly kind: 'late';
      readonly node: NodeIndex;
      readonly thread: 'main' | 'worker';
      readonly for: number;
    }
  | {
      readonly kind: 'linkDown';
      readonly node: NodeIndex;
      readonly segment: SegmentName;
      readonly for: number;
    }
  | {
      readonly kind: 'cut';
      readonly segments: readonly SegmentName[];
      /** From which node nothing arrives at the other; both directions where absent. */
      readonly from?: NodeIndex;
      readonly for: number;
    }
  | {
      readonly kind: 'impair';
      readonly segments: readonly SegmentName[];
      readonly how: Impairment;
      readonly for: number;
    }
  | { readonly kind: 'hostCut'; readonly node: NodeIndex; readonly for: number }
  | { readonly kind: 'reload'; readonly node?: NodeIndex; readonly settings: ClusterSettings }
  | { readonly kind: 'operator'; readonly node: NodeIndex; readonly request: ControlRequest }
  | { readonly kind: 'foreignDelete'; readonly node: NodeIndex; readonly percent: number }
  | { readonly kind: 'foreignAddress'; readonly node: NodeIndex; readonly segment: 'lan' | 'wan' }
  | { readonly kind: 'burst'; readonly flows: number }
  | { readonly kind: 'fullTable'; readonly node?: NodeIndex; readonly for: number }
  | {
      /** So many percent of the probes of the target are lost. */
      readonly kind: 'target';
      readonly node?: NodeIndex;
      readonly percent: number;
      readonly for: number;
    }
  | { readonly kind: 'wallClock'; readonly node: NodeIndex; readonly seconds: number };

export type FaultKind = Fault['kind'];

export type PlannedFault = Fault & { readonly at: number };

export interface Plan {
  readonly seed: number;
  /** Length of the life. */
  readonly milliseconds: number;
  /** From then on the world is whole, and the cluster may come to rest. */
  readonly quietFrom: number;
  readonly clients: number;
  readonly settings: ClusterSettings;
  readonly faults: readonly PlannedFault[];
}

const lifeMilliseconds = 60_000;
/** What was committed in advance is taken back after 30 s: then all is at rest. */
const quietFrom = 26_000;
const firstFault = 2_500;
const mostFaults = 6;
/** One life in so many has a target. */
const seedsPerTarget = 4;
const mostTargetFaults = 3;

/** One virtual minute. */
export function planOf(seed: number, clients = 50): Plan {
  const random = new SeededRandom(Math.imul(seed, 0x85ebca6b) ^ 0x5bd1e995);
  const settings = settingsFor(random);
  const faults: PlannedFault[] = [];
  for (let left = random.below(mostFaults + 1); left > 0; left--) {
    const at = random.between(firstFault, quietFrom - 1_000);
    faults.push(endedBy(quietFrom, { at, ...faultFor(random, settings) }));
    // What comes close upon another is what nobody tries by hand.
    if (random.chance(35)) {
      const soon = Math.min(quietFrom - 500, at + random.below(random.chance(50) ? 300 : 5_000));
      faults.push(endedBy(quietFrom, { at: soon, ...faultFor(random, settings) }));
    }
  }
  const plain = { seed, milliseconds: lifeMilliseconds, quietFrom, clients, settings, faults };
  const plan = seed % seedsPerTarget === 1 ? withTarget(plain) : plain;
  return { ...plan, faults: [...plan.faults].sort((a, b) => a.at - b.at) };
}

/** Chance of its own: the other faults of a seed are what they are without a target. */
function withTarget(plan: Plan): Plan {
  const random = new SeededRandom(Math.imul(plan.seed, 0x27d4eb2f) ^ 0x165667b1);
  const target = random.pick(['fault', 'fault', 'weight'] as const);
  const settings = { ...plan.settings, target };
  const faults = plan.faults.map((fault): PlannedFault =>
    fault.kind === 'reload' ? { ...fault, settings: { ...fault.settings, target } } : fault,
  );
  for (let left = random.between(1, mostTargetFaults); left > 0; left--) {
    const at = random.between(firstFault, plan.quietFrom - 1_000);
    faults.push({ at, ...makers.target(random, settings) });
  }
  return { ...plan, settings, faults };
}

/** A process that stands still cannot be healed. */
function endedBy(end: number, fault: PlannedFault): PlannedFault {
  if (fault.kind !== 'freeze' && fault.kind !== 'late') return fault;
  return { ...fault, for: Math.min(fault.for, end - fault.at) };
}

function settingsFor(random: SeededRandom): ClusterSettings {
  if (random.chance(40)) return usualSettings;
  const mode = random.pick(['FTFW', 'FTFW', 'NOTRACK', 'ALARM'] as const);
  const version = random.pick([2, 3] as const);
  const settings: ClusterSettings = {
    ...usualSettings,
    mode,
    version,
    advertSeconds: version === 3 && random.chance(40) ? 0.2 : 1,
    preempt: random.chance(35),
    instances: random.pick(['one', 'group'] as const),
    syncLinks: random.pick([1, 2] as const),
    reliableEvents: random.chance(25),
    disableExternalCache: mode !== 'ALARM' && random.chance(15),
    disableInternalCache: false,
    purgeSeconds: random.pick([3, 10]),
    bufferBytes: random.pick([32_768, 262_144]),
  };
  // Without both caches nobody can tell whose flows are in the kernel (docs/differences.md).
  const isBypassed = mode === 'NOTRACK' && !settings.disableExternalCache && random.chance(20);
  return { ...settings, disableInternalCache: isBypassed };
}

/** How often each kind comes. */
const weights: Readonly<Record<FaultKind, number>> = {
  crash: 14,
  stop: 5,
  powerOff: 9,
  workerDeath: 7,
  freeze: 9,
  late: 7,
  linkDown: 9,
  cut: 12,
  impair: 9,
  hostCut: 2,
  reload: 4,
  operator: 20,
  foreignDelete: 3,
  foreignAddress: 3,
  burst: 3,
  fullTable: 2,
  wallClock: 3,
  // Where there is a target: `withTarget`.
  target: 0,
};

export const faultKinds = Object.keys(weights) as readonly FaultKind[];

function kindFor(random: SeededRandom): FaultKind {
  const total = faultKinds.reduce((sum, kind) => sum + weights[kind], 0);
  let left = random.below(total);
  for (const kind of faultKinds) {
    left -= weights[kind];
    if (left < 0) return kind;
  }
  return 'crash';
}

type Make = (random: SeededRandom, settings: ClusterSettings) => Fault;

const nodeFor = (random: SeededRandom): NodeIndex => (random.chance(50) ? 0 : 1);
const oneOrBoth = (random: SeededRandom): { readonly node?: NodeIndex } =>
  random.chance(20) ? {} : { node: nodeFor(random) };
/** Short ones are as likely as long ones. */
const spread = (random: SeededRandom, low: number, high: number): number =>
  Math.round(low * (high / low) ** (random.below(1_000) / 1_000));

const makers: Readonly<Record<FaultKind, Make>> = {
  crash: (random) => ({
    ...{ kind: 'crash', ...oneOrBoth(random) },
    restart: spread(random, 300, 15_000),
  }),
  stop: (random) => ({
    ...{ kind: 'stop', ...oneOrBoth(random) },
    restart: spread(random, 500, 15_000),
  }),
  powerOff: (random) => ({
    ...{ kind: 'powerOff', ...oneOrBoth(random) },
    boot: spread(random, 2_000, 20_000),
  }),
  workerDeath: (random) => ({ kind: 'workerDeath', node: nodeFor(random) }),
  freeze: (random) => ({
    ...{ kind: 'freeze', ...oneOrBoth(random) },
    for: spread(random, 100, 10_000),
  }),
  late: (random) => ({
    ...{ kind: 'late', node: nodeFor(random) },
    thread: random.pick(['main', 'worker'] as const),
    for: spread(random, 50, 2_000),
  }),
  linkDown: (random, { syncLinks }) => ({
    ...{ kind: 'linkDown', node: nodeFor(random) },
    segment: random.pick(segmentsOf(syncLinks)),
    for: spread(random, 50, 15_000),
  }),
  cut: (random, { syncLinks }) => ({
    ...{ kind: 'cut', segments: someOf(random, segmentsOf(syncLinks)) },
    ...(random.chance(35) ? { from: nodeFor(random) } : {}),
    for: spread(random, 200, 20_000),
  }),
  impair: (random, { syncLinks }) => ({
    ...{ kind: 'impair', segments: someOf(random, segmentsOf(syncLinks)) },
    how: {
      loss: random.pick([0, 1, 10, 40]),
      duplicates: random.pick([0, 5, 50]),
      reordered: random.pick([0, 10]),
      corrupted: random.pick([0, 0, 5]),
      longestDelay: random.pick([200, 5_000, 400_000]),
    },
    for: spread(random, 500, 15_000),
  }),
  hostCut: (random) => ({
    ...{ kind: 'hostCut', node: nodeFor(random) },
    for: spread(random, 500, 8_000),
  }),
  reload: (random, settings) => ({
    ...{ kind: 'reload', ...oneOrBoth(random) },
    settings: {
      ...settings,
      preempt: random.chance(50),
      purgeSeconds: random.pick([3, 10]),
      reliableEvents: random.chance(30),
    },
  }),
  operator: (random) => ({
    ...{ kind: 'operator', node: nodeFor(random) },
    request: random.pick(requests),
  }),
  foreignDelete: (random) => ({
    ...{ kind: 'foreignDelete', node: nodeFor(random) },
    percent: random.pick([5, 30, 100]),
  }),
  foreignAddress: (random) => ({
    ...{ kind: 'foreignAddress', node: nodeFor(random) },
    segment: random.pick(['lan', 'wan'] as const),
  }),
  burst: (random) => ({ kind: 'burst', flows: random.pick([50, 200, 400]) }),
  fullTable: (random) => ({
    ...{ kind: 'fullTable', ...oneOrBoth(random) },
    for: spread(random, 500, 10_000),
  }),
  target: (random) => ({
    ...{ kind: 'target', ...(random.chance(50) ? {} : { node: nodeFor(random) }) },
    percent: random.pick([100, 100, 100, 50, 20]),
    for: spread(random, 300, 12_000),
  }),
  wallClock: (random) => ({
    ...{ kind: 'wallClock', node: nodeFor(random) },
    seconds: random.pick([-86_400, -5, 5, 3_600]),
  }),
};

function faultFor(random: SeededRandom, settings: ClusterSettings): Fault {
  return makers[kindFor(random)](random, settings);
}

function segmentsOf(syncLinks: 1 | 2): readonly SegmentName[] {
  return syncLinks === 2 ? ['lan', 'wan', 'sync', 'sync2'] : ['lan', 'wan', 'sync'];
}

function someOf(random: SeededRandom, segments: readonly SegmentName[]): readonly SegmentName[] {
  if (random.chance(30)) return segments;
  const chosen = segments.filter(() => random.chance(40));
  return chosen.length === 0 ? [random.pick(segments)] : chosen;
}

const requests: readonly ControlRequest[] = [
  { verb: 'failover', force: false },
  { verb: 'failover', force: false },
  { verb: 'failover', force: true },
  { verb: 'failoverRelease' },
  { verb: 'maintenance', on: true, force: false },
  { verb: 'maintenance', on: true, force: true },
  { verb: 'maintenance', on: false, force: false },
  { verb: 'sync', action: 'commit' },
  { verb: 'sync', action: 'flush' },
  { verb: 'sync', action: 'flush', cache: 'internal' },
  { verb: 'sync', action: 'flush', cache: 'external' },
  { verb: 'sync', action: 'resync' },
  { verb: 'sync', action: 'request' },
  { verb: 'sync', action: 'bulk' },
  { verb: 'sync', action: 'purge' },
  { verb: 'acknowledge', all: true },
  { verb: 'status' },
  { verb: 'history' },
];
