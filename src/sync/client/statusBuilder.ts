/** Assembles SyncStatus from the engine's parts. */
import type { Lateness } from '../../base/lateness.js';
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { CacheCounters } from '../tables/cacheCounters.js';
import type { Engine } from '../engine/engine.js';
import type { CacheCounts, SyncStatus } from '../messages.js';
import type { PeerView } from '../peerChannel/peerView.js';
import type { CommitWork } from '../role/commitWork.js';
import type { RoleState } from '../role/roleState.js';
import type { ExpectationCache } from '../tables/expectations.js';

/** FTFW and NOTRACK peers speak once a second. */
const peerSilence = seconds(4);

export type StatusEngine = Pick<
  Engine,
  | 'announcesEnds'
  | 'check'
  | 'external'
  | 'externalMode'
  | 'feed'
  | 'internal'
  | 'links'
  | 'replicator'
  | 'settings'
>;

/** What the status tells of this node's role. */
export interface StatusRole {
  readonly commits: Pick<CommitWork, 'last' | 'isRunning'>;
  readonly leftovers: { readonly ended: number };
  readonly state: Pick<RoleState, 'purge'>;
  readonly adopted: SyncStatus['adopted'];
}

/** Where signs of the peer's life are seen. */
export interface PeerSigns extends Pick<Engine, 'announcesEnds'> {
  readonly settings: Pick<Engine['settings'], 'mode'>;
  readonly replicator: {
    readonly receiver: Pick<Engine['replicator']['receiver'], 'lastAcceptedAt'>;
  };
}

/** In ALARM a standby without flows of its own says nothing there: a keepstate is heard beside. */
export function isPeerPresent(engine: PeerSigns, now: Microseconds): boolean {
  const heard = engine.replicator.receiver.lastAcceptedAt;
  const { mode } = engine.settings;
  if (heard === undefined) return mode === 'ALARM' && engine.announcesEnds(now);
  if (mode === 'ALARM') return true;
  return subtractTime(now, heard) < peerSilence;
}

export function buildStatus(
  engine: StatusEngine,
  role: StatusRole,
  peer: PeerView,
  lateness: Lateness,
  now: Microseconds,
): SyncStatus {
  const { internal, external, replicator, links, feed, externalMode } = engine;
  const { commits } = role;
  const { due } = role.state.purge;
  const { receiver, machine, transmitter } = replicator;
  const { directionZones } = replicator.writer;
  const externalCounters = externalMode.store.counters;
  const heard = receiver.lastAcceptedAt;
  return {
    at: now,
    state: stateOf(engine, now),
    mode: engine.settings.mode,
    internal: {
      ...countsOf(internal.table.alive, internal.expectations, internal.counters, engine),
      ...(internal.fullTable === undefined ? { isBypassed: true } : {}),
    },
    external: countsOf(external.table.alive, external.expectations, externalCounters, engine),
    kernel: engine.check.view,
    ...(commits.last === undefined ? {} : { lastCommit: commits.last }),
    commitInProgress: commits.isRunning,
    ...(due === undefined ? {} : { purgeDue: due }),
    ...formerRole(role),
    overruns: feed.watch.events.overruns,
    netlinkBufferBytes: feed.watch.events.bufferBytes,
    resyncs: feed.mirror.counters.passes,
    events: {
      received: feed.mirror.counters.events,
      filtered: feed.mirror.counters.filtered,
      own: feed.mirror.counters.own,
      malformed: feed.watch.malformed,
      unknownAttributes: feed.watch.events.unknownAttributes,
    },
    peer: {
      kind: peer.kind,
      ...(directionZones === 0 ? {} : { directionZonesSent: directionZones }),
      ...(peer.name === undefined ? {} : { name: peer.name }),
      ...(peer.version === undefined ? {} : { version: peer.version }),
      ...marksOf(peer),
      ...(peer.roles === undefined ? {} : { roles: peer.roles }),
      ...(peer.rolesAt === undefined ? {} : { rolesAt: peer.rolesAt }),
      ...(peer.holds === undefined ? {} : { holds: peer.holds }),
      ...(heard === undefined ? {} : { lastHeard: heard }),
      lost: machine.counters.lost,
      before: machine.counters.before,
      malformed: receiver.malformedTotal,
      malformedBy: { ...receiver.malformed, givenUp: receiver.givenUp },
      ...refusedView(engine),
      ...(peer.channelRefused === undefined ? {} : { channelRefused: peer.channelRefused }),
      unknownAttributes: receiver.unknownAttributes,
    },
    parity: peer.parity,
    ...(peer.parityBecause === undefined ? {} : { parityBecause: peer.parityBecause }),
    ...parityTimes(peer),
    links: links.status(),
    queues: {
      transmit: transmitter.waiting,
      resend: transmitter.resend.count,
      resendLimit: transmitter.resend.limit,
      resendDropped: transmitter.resend.dropped,
      ...unacknowledged(replicator, now),
    },
    lateness: lateness.read(),
    memoryBytes: {
      tables: internal.table.memoryBytes + external.table.memoryBytes,
      rss: process.memoryUsage.rss(),
    },
  };
}

function unacknowledged(
  replicator: Engine['replicator'],
  now: Microseconds,
): Pick<SyncStatus['queues'], 'oldestUnacknowledged'> {
  const oldest = replicator.oldestUnacknowledged(now);
  return oldest === undefined ? {} : { oldestUnacknowledged: oldest };
}

function parityTimes({
  parityComparedAt: compared,
  parityEqualSince: since,
}: PeerView): Pick<SyncStatus, 'parityComparedAt' | 'parityEqualSince'> {
  return {
    ...(compared === undefined ? {} : { parityComparedAt: compared }),
    ...(since === undefined ? {} : { parityEqualSince: since }),
  };
}

function refusedView({
  links,
}: Pick<Engine, 'links'>): Pick<
  SyncStatus['peer'],
  'strangers' | 'lastStranger' | 'refusedBy' | 'refused'
> {
  const { total, last, counts, named } = links.sources.refused;
  if (last === undefined) return { strangers: total };
  return { strangers: total, lastStranger: last, refusedBy: counts, refused: named };
}

/** What became of flows of a role that has left, here or at the peer. */
function formerRole({
  state: { purge },
  leftovers: { ended },
  adopted,
}: StatusRole): Pick<SyncStatus, 'purge' | 'adopted'> {
  const { view } = purge;
  return {
    ...(view === undefined ? {} : { purge: { ...view, ended } }),
    ...(adopted === undefined ? {} : { adopted }),
  };
}

export function stateOf(
  engine: PeerSigns & Pick<Engine, 'replicator'>,
  now: Microseconds,
): SyncStatus['state'] {
  if (!isPeerPresent(engine, now)) return 'peer-lost';
  const isWaiting = engine.replicator.resync.isWaiting;
  const isBehind = engine.replicator.transmitter.isBulkRunning || isWaiting;
  return isBehind ? 'synchronising' : 'synchronised';
}

function countsOf(
  entries: number,
  expectations: ExpectationCache,
  counters: CacheCounters,
  engine: Pick<Engine, 'settings'>,
): CacheCounts {
  return {
    entries,
    expectations: expectations.count,
    created: counters.created,
    createFailed: counters.createFailed,
    updated: counters.updated,
    updateFailed: counters.updateFailed,
    destroyed: counters.destroyed,
    destroyFailed: counters.destroyFailed,
    limit: engine.settings.hashLimit,
  };
}

/** What is so, of that which mostly is not. */
function marksOf({ hearsNothing, inMaintenance, comparesTargets }: PeerView) {
  return {
    ...(hearsNothing === true ? { hearsNothing } : {}),
    ...(inMaintenance === true ? { inMaintenance } : {}),
    ...(comparesTargets === true ? { comparesTargets } : {}),
  };
}
