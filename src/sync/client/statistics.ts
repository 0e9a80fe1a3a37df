/**
 * What `conntrackd -s` prints, block by block, in its layout (conntrackd 1.4.7): cache numbers
 * right-aligned in 12 columns, traffic and message numbers in 20, tabs as they stand there.
 */
import type { CacheCounters } from '../tables/cacheCounters.js';
import type { SyncStatus, LinkStatus } from '../messages.js';
import type { SyncMode } from '../settings.js';

const in12 = (value: number): string => String(value).padStart(12);
const in20 = (value: number): string => String(value).padStart(20);

/** Counters of one cache and what it holds. */
export interface CacheStatistics {
  readonly active: number;
  /** DEAD ones included. */
  readonly total: number;
  readonly counters: CacheCounters;
}

export interface StatisticsInput {
  readonly status: SyncStatus;
  readonly internal: CacheStatistics;
  readonly external: CacheStatistics;
  readonly bypassesInternal: boolean;
  readonly injectsExternal: boolean;
}

interface CountedCache {
  readonly table: { readonly alive: number; readonly count: number };
  readonly counters: CacheCounters;
  readonly expectations: { readonly count: number };
  readonly expectationCounters: CacheCounters;
}

/** What is counted of an engine. */
export interface CountedEngine {
  readonly internal: CountedCache & { readonly fullTable: unknown };
  readonly external: CountedCache;
  readonly externalMode: {
    readonly store: Pick<CountedCache, 'counters' | 'expectationCounters'>;
    readonly injected: { readonly isInjecting: boolean };
  };
}

/** The figures of flows, or those of expectations. */
export function statisticsInput(
  { internal, external, externalMode }: CountedEngine,
  status: SyncStatus,
  ofExpectations: boolean,
): StatisticsInput {
  const { store, injected } = externalMode;
  const of = ofExpectations ? expectationsOf : flowsOf;
  return {
    status,
    internal: of(internal),
    external: {
      ...of(external),
      counters: ofExpectations ? store.expectationCounters : store.counters,
    },
    bypassesInternal: internal.fullTable === undefined,
    injectsExternal: injected.isInjecting,
  };
}

function flowsOf({ table, counters }: CountedCache): CacheStatistics {
  return { active: table.alive, total: table.count, counters };
}

function expectationsOf({ expectations, expectationCounters }: CountedCache): CacheStatistics {
  const { count } = expectations;
  return { active: count, total: count, counters: expectationCounters };
}

/** `-s`, and `-s expect` with the expectation caches. */
export function generalStatistics(input: StatisticsInput): string {
  const internal = input.bypassesInternal
    ? bypassBlock(input.internal.counters)
    : cacheBlock('cache internal', input.internal);
  const external = input.injectsExternal
    ? injectBlock(input.external.counters)
    : cacheBlock('cache external', input.external);
  return (
    internal +
    external +
    trafficBlock({ bytes: 0, packets: 0 }) +
    activeLinkBlock(input.status) +
    'message tracking:\n' +
    `${in20(input.status.peer.malformed)} Malformed msgs ${in20(lostOf(input.status))} Lost msgs\n\n`
  );
}

/** `-s network`. */
export function networkStatistics(status: SyncStatus): string {
  const { malformedBy, malformed, before } = status.peer;
  const line = (name: string, value: number): string => `\t\t${name}:\t${in20(value)}\n`;
  const by = (reason: string): number => malformedBy[reason] ?? 0;
  return (
    'network statistics:\n' +
    '\trecv:\n' +
    line('Malformed messages', malformed) +
    line('Wrong protocol version', by('version')) +
    line('Malformed header', by('header')) +
    line('Malformed payload', by('payload')) +
    line('Bad message type', 0) +
    line('Truncated message', by('truncated')) +
    line('Bad message size', by('size')) +
    '\tsend:\n' +
    line('Malformed messages', 0) +
    '\n' +
    'sequence tracking statistics:\n' +
    '\trecv:\n' +
    `\t\tPackets lost:\t\t${in20(lostOf(status))}\n` +
    `\t\tPackets before:\t\t${in20(before)}\n\n` +
    activeLinkBlock(status)
  );
}

/** `-s` of a node that has `Stats` and no `Sync`. */
export function endedStatistics(
  cache: CacheStatistics,
  traffic: { readonly bytes: number; readonly packets: number },
): string {
  return cacheBlock('cache stats', cache) + trafficBlock(traffic);
}

/** `-s cache`. */
export function cacheStatistics(input: StatisticsInput): string {
  const internal = input.bypassesInternal
    ? bypassBlock(input.internal.counters)
    : cacheDetails('internal', input.internal);
  return internal + cacheDetails('external', input.external);
}

/** One cache of `-s cache`. */
export function cacheDetails(name: string, { active, total, counters }: CacheStatistics): string {
  return (
    `cache:${name}\tactive objects:\t\t${in12(active)}\n` +
    `\tactive/total entries:\t\t${in12(active)}/${in12(total)}\n` +
    `\tcreation OK/failed:\t\t${in12(counters.created)}/${in12(counters.createFailed)}\n` +
    `\t\tno memory available:\t${in12(0)}\n` +
    `\t\tno space left in cache:\t${in12(counters.full)}\n` +
    `\tupdate OK/failed:\t\t${in12(counters.updated)}/${in12(counters.updateFailed)}\n` +
    `\t\tentry not found:\t${in12(0)}\n` +
    `\tdeletion created/failed:\t${in12(counters.destroyed)}/${in12(counters.destroyFailed)}\n` +
    `\t\tentry not found:\t${in12(counters.destroyNotFound)}\n\n`
  );
}

/** `-s runtime`; counters of things that keepstate does not have stay 0. */
export function runtimeStatistics(
  status: Pick<SyncStatus, 'overruns' | 'resyncs' | 'netlinkBufferBytes'> & {
    readonly events: Pick<SyncStatus['events'], 'received' | 'filtered'>;
  },
  uptimeSeconds: number,
): string {
  const line = (name: string, tabs: string, value: number): string =>
    `\t${name}:${tabs}${in20(value)}\n`;
  return (
    `daemon uptime: ${uptimeText(uptimeSeconds)}\n\n` +
    'netlink stats:\n' +
    line('events received', '\t', status.events.received) +
    line('events filtered', '\t', status.events.filtered) +
    line('events unknown type', '\t\t', 0) +
    line('catch event failed', '\t\t', status.overruns) +
    line('dump unknown type', '\t\t', 0) +
    line('netlink overrun', '\t\t', status.overruns) +
    line('flush kernel table', '\t\t', 0) +
    line('resync with kernel table', '\t', status.resyncs) +
    `\tcurrent buffer size (in bytes):\t${in12(status.netlinkBufferBytes)}\n\n` +
    'runtime stats:\n' +
    line('child process failed', '\t\t', 0) +
    `\t\tchild process segfault:\t${in20(0)}\n` +
    `\t\tchild process termsig:\t${in20(0)}\n` +
    line('select failed', '\t\t\t', 0) +
    line('wait failed', '\t\t\t', 0) +
    line('local read failed', '\t\t', 0) +
    line('local unknown request', '\t\t', 0) +
    '\n'
  );
}

/** `-s link`: one block per configured link. */
export function linkStatistics(status: SyncStatus): string {
  return status.links
    .map((link) => {
      const state = link.isUsable ? 'RUNNING' : 'DOWN';
      const role = link.isActive ? 'ACTIVE' : 'BACKUP';
      return (
        `${kindName(link)} traffic device=${link.interfaceName} status=${state} role=${role}:\n` +
        trafficLines(link)
      );
    })
    .join('');
}

/** `-s rsqueue`: FTFW only. */
export function resendStatistics(
  elements: Iterable<{ readonly sequence: number; readonly flags: number | undefined }>,
): string {
  const lines: string[] = [];
  for (const { sequence, flags } of elements) {
    lines.push(
      flags === undefined
        ? `object -> seq:${sequence}\n`
        : `control -> seq:${sequence} flags:${flags}\n`,
    );
  }
  return `resent queue (len=${lines.length})\n${lines.join('')}`;
}

/** `-s queue`. */
export function queueStatistics(status: SyncStatus, mode: SyncMode): string {
  const { transmit, resend, resendLimit, resendDropped } = status.queues;
  const block = (name: string, current: number, most: number, dropped: number): string =>
    `queue ${name}:\n` +
    `current elements:\t\t${in12(current)}\n` +
    `maximum elements:\t\t${in12(most)}\n` +
    `not enough space errors:\t${in12(dropped)}\n\n`;
  return (
    `allocated queue nodes:\t\t${in12(transmit + resend)}\n\n` +
    block('txqueue', transmit, 2_147_483_647, 0) +
    block('errorq', 0, 128, 0) +
    (mode === 'FTFW' ? block('rsqueue', resend, resendLimit, resendDropped) : '')
  );
}

function cacheBlock(name: string, { active, counters }: CacheStatistics): string {
  return (
    `${name}:\n` +
    `current active connections:\t${in12(active)}\n` +
    `connections created:\t\t${in12(counters.created)}\tfailed:\t${in12(counters.createFailed)}\n` +
    `connections updated:\t\t${in12(counters.updated)}\tfailed:\t${in12(counters.updateFailed)}\n` +
    `connections destroyed:\t\t${in12(counters.destroyed)}\tfailed:\t${in12(counters.destroyFailed)}\n\n`
  );
}

function trafficBlock(traffic: { readonly bytes: number; readonly packets: number }): string {
  return (
    'traffic processed:\n' + `${in20(traffic.bytes)} Bytes      ${in20(traffic.packets)} Pckts\n\n`
  );
}

function bypassBlock(counters: CacheCounters): string {
  return (
    'internal bypass:\n' +
    `connections new:\t\t${in12(counters.created)}\n` +
    `connections updated:\t\t${in12(counters.updated)}\n` +
    `connections destroyed:\t\t${in12(counters.destroyed)}\n\n`
  );
}

function injectBlock(counters: CacheCounters): string {
  return (
    'external inject:\n' +
    `connections created:\t\t${in12(counters.created)}\tfailed:\t${in12(counters.createFailed)}\n` +
    `connections updated:\t\t${in12(counters.updated)}\tfailed:\t${in12(counters.updateFailed)}\n` +
    `connections destroyed:\t\t${in12(counters.destroyed)}\tfailed:\t${in12(counters.destroyFailed)}\n\n`
  );
}

function activeLinkBlock(status: SyncStatus): string {
  const link = status.links.find(({ isActive }) => isActive);
  if (link === undefined) return '';
  const tcp =
    link.kind === 'tcp'
      ? ` server=${link.isReceiving === true ? 'connected' : 'disconnected'}` +
        ` client=${link.isSending === true ? 'connected' : 'disconnected'}`
      : '';
  return (
    `${kindName(link)} traffic (active device=${link.interfaceName})${tcp}:\n` + trafficLines(link)
  );
}

function trafficLines(link: LinkStatus): string {
  const pair = (sent: number, received: number, unit: string): string =>
    `${in20(sent)} ${unit} ${in20(received)} ${unit.replace('sent', 'recv').replace('send', 'recv')}\n`;
  return (
    pair(link.bytesSent, link.bytesReceived, 'Bytes sent') +
    pair(link.datagramsSent, link.datagramsReceived, 'Pckts sent') +
    pair(link.sendErrors, link.receiveErrors, 'Error send') +
    '\n'
  );
}

function kindName({ kind }: LinkStatus): string {
  return kind === 'multicast' ? 'multicast' : kind.toUpperCase();
}

/** ALARM never tracks numbers. */
function lostOf(status: SyncStatus): number {
  return status.mode === 'ALARM' ? 0 : status.peer.lost;
}

function uptimeText(seconds: number): string {
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3_600) % 24;
  const days = Math.floor(seconds / 86_400);
  const clock = hours > 0 || days > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
  return days > 0 ? `${days} day(s) ${clock}` : clock;
}
