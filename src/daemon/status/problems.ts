/** What an operator should act on, each with its remedy: read off the snapshots. Pure. */
import { seconds, subtractTime, toMilliseconds, type Microseconds } from '../../base/time.js';
import type { SyncStatus } from '../../sync/messages.js';
import { sealRefusals, type SealRefusal } from '../../sync/seal/sealRefusals.js';
import { refusals } from '../../sync/links/refusedSenders.js';
import type { InstanceSnapshot } from '../../vrrp/status/snapshot.js';
import { problem, type Finding } from '../problemTable/table.js';

export interface SyncView {
  /** undefined: the worker has not reported yet, or is down. */
  readonly status: SyncStatus | undefined;
  readonly downBecause: string | undefined;
}

/** Beyond this share of its limit a table is nearly full. */
const nearlyFull = 0.9;
/** An advert this late by our own fault is worth a word. */
const lateMs = 500;

/**
 * Remarks on the settings (`reason` without `lastSeen`) and what adverts told in the last while.
 */
const problemLifetimeMs = 60_000;
/** A commit is news for that long. */
const commitMemory = seconds(60);

export function instanceProblems(
  instance: InstanceSnapshot,
  wallClock: Microseconds,
): readonly Finding[] {
  const { name } = instance;
  const faults = instance.faults.map((fault) =>
    problem('fault', `${name}: ${fault}`, { subject: `${name}: ${fault}` }),
  );
  const seen = instance.problems.flatMap(({ reason, text, remedy, lastSeen }): Finding[] => {
    const age = lastSeen === undefined ? 0 : toMilliseconds(subtractTime(wallClock, lastSeen));
    if (age > problemLifetimeMs) return [];
    return [problem(reason, `${name}: ${text}`, { subject: name, remedy })];
  });
  const missing =
    instance.state === 'MASTER' && !instance.vipsWait
      ? instance.vips.filter((vip) => !vip.isPresent && vip.state !== 'pending')
      : [];
  const absent = missing.map((vip) =>
    problem('vip-missing', `${name} is MASTER but ${vip.text} is not on its interface`, {
      subject: `${name}: ${vip.text}`,
    }),
  );
  return [...faults, ...seen, ...absent];
}

/**
 * Addresses of an instance that is not MASTER, on the interface although this node did not set
 * them.
 */
export function foreignAddresses(instances: readonly InstanceSnapshot[]): readonly Finding[] {
  const held = new Set(
    instances.flatMap(({ vips }) => vips.filter(({ state }) => state === 'set').map(keyOfVip)),
  );
  return instances
    .filter(({ state }) => state === 'BACKUP' || state === 'FAULT')
    .flatMap(({ name, state, vips }) =>
      vips
        .filter((vip) => vip.isPresent && vip.state === 'absent' && !held.has(keyOfVip(vip)))
        .map(({ text }) => {
          const seen = `${name} is ${state}, but ${text} is on its interface: somebody added it`;
          return problem('vip-not-ours', seen, { subject: `${name}: ${text}`, after: seconds(3) });
        }),
    );
}

function keyOfVip({ text }: { readonly text: string }): string {
  return text;
}

export function syncProblems(view: SyncView, now: Microseconds): readonly Finding[] {
  const { status, downBecause } = view;
  if (downBecause !== undefined) {
    return [problem('sync-down', `the sync engine is down: ${downBecause}`)];
  }
  if (status === undefined) return [];
  return [
    ...peerProblems(status, now),
    ...cacheProblems(status),
    ...zoneProblems(status),
    ...tableProblems('internal', status.internal.entries, status.internal.limit),
    ...tableProblems('external', status.external.entries, status.external.limit),
    ...linkProblems(status),
    ...strangerProblems(status, now),
    ...sealProblems(status, now),
    ...lossProblems(status),
    ...commitProblems(status, now),
  ];
}

export function latenessProblems(maxMs: number): readonly Finding[] {
  if (maxMs < lateMs) return [];
  const text = `the VRRP loop was ${Math.round(maxMs)} ms late within the last second`;
  return [problem('late', text)];
}

function peerProblems(status: SyncStatus, now: Microseconds): readonly Finding[] {
  if (status.state === 'peer-lost') {
    const { lastHeard } = status.peer;
    const ago =
      lastHeard === undefined
        ? 'was never heard'
        : `was last heard ${Math.round(toMilliseconds(subtractTime(now, lastHeard)) / 1000)} s ago`;
    return [problem('sync-peer-lost', `the sync peer ${ago}`)];
  }
  if (status.state !== 'synchronised') return [];
  if (status.parity === 'different') {
    return [problem('parity', 'this node holds other flows than the peer sent')];
  }
  return status.peer.holds?.parity === 'different'
    ? [problem('parity', 'the peer holds other flows than this node sent')]
    : [];
}

/** What the internal cache lacks, the peer lacks too. */
function cacheProblems({ kernel, internal }: SyncStatus): readonly Finding[] {
  if (kernel === undefined || !(kernel.isApart || kernel.isEmptied)) return [];
  const { flows, ignored = 0 } = kernel;
  const ofKernel =
    flows === undefined
      ? 'the internal cache was emptied'
      : `the kernel tracks ${flows} flows, ${ignored} of them ignored by the filter`;
  return [problem('cache-differs', `${ofKernel}; the internal cache holds ${internal.entries}`)];
}

/** A takeover by a conntrackd finds these flows without their zone: their packets miss them. */
function zoneProblems({ peer }: SyncStatus): readonly Finding[] {
  const { kind, directionZonesSent = 0 } = peer;
  if (kind !== 'conntrackd' || directionZonesSent === 0) return [];
  const text = `${directionZonesSent} messages about flows with a zone in one direction went to a conntrackd, which drops the zone`;
  // A keepstate is taken for a conntrackd until it was greeted.
  return [problem('zones-not-replicated', text, { after: seconds(10) })];
}

function commitProblems({ lastCommit }: SyncStatus, now: Microseconds): readonly Finding[] {
  if (lastCommit?.tableFull !== true) return [];
  if (subtractTime(now, lastCommit.at) > commitMemory) return [];
  const { failed, entries } = lastCommit;
  const text = `the kernel's table was full at the takeover: ${failed} of ${entries + failed} flows are missing`;
  return [problem('commit-incomplete', text)];
}

function tableProblems(name: string, entries: number, limit: number): readonly Finding[] {
  if (limit <= 0 || entries < limit * nearlyFull) return [];
  const text = `the ${name} table is ${Math.floor((100 * entries) / limit)} % full`;
  const severity = entries >= limit ? 'error' : 'warning';
  return [problem('table-full', text, { subject: name, severity })];
}

function linkProblems(status: SyncStatus): readonly Finding[] {
  return status.links.flatMap((link): readonly Finding[] => {
    const subject = link.interfaceName;
    if (!link.isUsable) {
      if (link.refused !== undefined) {
        const text = `the sync link on ${subject} cannot be opened: ${link.refused}`;
        return [problem('sync-link-refused', text, { subject })];
      }
      const remedy = `bring ${subject} up; replication goes on over another link if there is one`;
      return [problem('sync-link-down', `sync link ${subject} is down`, { subject, remedy })];
    }
    if (link.isSending !== false) return [];
    const text = `sync link ${subject} has no TCP connection to the peer`;
    return [problem('sync-link-unconnected', text, { subject })];
  });
}

/** Those that are still heard. */
function strangerProblems({ peer }: SyncStatus, now: Microseconds): readonly Finding[] {
  return (peer.refused ?? [])
    .filter(({ last }) => toMilliseconds(subtractTime(now, last)) <= problemLifetimeMs)
    .map(({ address, reason, door, interfaceName, count }) => {
      const what = door === 'peer' ? 'the peer channel' : 'the sync link';
      const text = `${address} is refused on ${what} (${interfaceName}), ${count} times: ${refusals[reason].because}`;
      const subject = `${address} ${reason} ${door} ${interfaceName}`;
      return problem('sync-stranger', text, { subject, remedy: refusals[reason].remedy });
    });
}

/** Until the peer has shown a key, everybody can speak for it; afterwards nobody else can. */
function sealProblems({ seal, state }: SyncStatus, now: Microseconds): readonly Finding[] {
  if (seal === undefined) return [];
  const { refused, refusedAt, isPeerSealed, auth } = seal;
  const found: Finding[] = [];
  if (!isPeerSealed && auth === 'permissive') {
    const text = 'sync_auth is permissive and the peer has shown no key: the replication is plain';
    found.push(problem('sync-not-sealed', text, { after: seconds(10) }));
  }
  const isRecent =
    refusedAt !== undefined && toMilliseconds(subtractTime(now, refusedAt)) <= problemLifetimeMs;
  if (isRecent) {
    const reasons = Object.entries(refused) as [SealRefusal, number][];
    const texts = reasons.map(([reason, count]) => `${count} times: ${sealRefusals[reason]}`);
    const text = `datagrams are refused on the sealed channels: ${texts.join('; ')}`;
    found.push(problem('sync-seal-refused', text));
  }
  if (!isPeerSealed && auth === 'enforce' && state === 'peer-lost') {
    const text = 'no peer with the same sync_key was heard';
    found.push(problem('sync-key-unknown', text, { after: seconds(10) }));
  }
  return found;
}

function lossProblems({ peer, queues }: SyncStatus): readonly Finding[] {
  const problems: Finding[] = [];
  if (peer.hearsNothing === true) {
    const text =
      'the peer is heard, and hears nothing of this node: what happens here is lost to it';
    problems.push(problem('peer-hears-nothing', text));
  }
  if (peer.channelRefused !== undefined) {
    const text = `the peer channel cannot be opened: ${peer.channelRefused}`;
    problems.push(problem('peer-channel-refused', text));
  }
  if (queues.resendDropped > 0) {
    const text = `the resend queue overflowed ${queues.resendDropped} times`;
    problems.push(problem('resend-overflow', text));
  }
  return problems;
}
