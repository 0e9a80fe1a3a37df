/** What an operator should act on, each with its remedy: read off the snapshots. Pure. */
import { toMilliseconds, subtractTime, type Microseconds } from '../base/time.js';
import type { Problem } from '../control/status.js';
import type { SyncStatus } from '../sync/messages.js';
import type { InstanceSnapshot } from '../vrrp/snapshot.js';

export interface SyncView {
  /** undefined: the worker has not reported yet, or is down. */
  readonly status: SyncStatus | undefined;
  readonly downBecause: string | undefined;
}

/** Beyond this share of its limit a table is nearly full. */
const nearlyFull = 0.9;
/** An advert this late by our own fault is worth a word. */
const lateMs = 500;

/** Remarks on the settings (`reason` without `lastSeen`) and what adverts told in the last while. */
const problemLifetimeMs = 60_000;

export function instanceProblems(
  instance: InstanceSnapshot,
  wallClock: Microseconds,
): readonly Problem[] {
  const faults = instance.faults.map((fault): Problem => ({
    severity: 'error',
    code: 'fault',
    text: `${instance.name}: ${fault}`,
    remedy: 'repair what the fault names; the instance returns by itself',
  }));
  const seen = instance.problems.flatMap(({ reason, text, remedy, lastSeen }): Problem[] => {
    const age = lastSeen === undefined ? 0 : toMilliseconds(subtractTime(wallClock, lastSeen));
    if (age > problemLifetimeMs) return [];
    return [{ severity: 'warning', code: reason, text: `${instance.name}: ${text}`, remedy }];
  });
  const missing =
    instance.state === 'MASTER' && !instance.vipsWait
      ? instance.vips.filter((vip) => !vip.isPresent && vip.state !== 'pending')
      : [];
  const absent = missing.map((vip): Problem => ({
    severity: 'error',
    code: 'vip-missing',
    text: `${instance.name} is MASTER but ${vip.text} is not on its interface`,
    remedy: 'see the log for why the kernel refused it',
  }));
  return [...faults, ...seen, ...absent];
}

export function syncProblems(view: SyncView, now: Microseconds): readonly Problem[] {
  const { status, downBecause } = view;
  if (downBecause !== undefined) {
    return [
      {
        severity: 'error',
        code: 'sync-down',
        text: `the sync engine is down: ${downBecause}`,
        remedy: 'it is restarted by itself; see the log if it does not stay',
      },
    ];
  }
  if (status === undefined) return [];
  return [
    ...peerProblems(status, now),
    ...tableProblems('internal', status.internal.entries, status.internal.limit),
    ...tableProblems('external', status.external.entries, status.external.limit),
    ...linkProblems(status),
    ...lossProblems(status),
  ];
}

export function latenessProblems(maxMs: number): readonly Problem[] {
  if (maxMs < lateMs) return [];
  return [
    {
      severity: 'warning',
      code: 'late',
      text: `the VRRP loop was ${Math.round(maxMs)} ms late within the last second`,
      remedy:
        'the machine is overloaded or suspends this process: set vrrp_rt_priority or vrrp_priority',
    },
  ];
}

function peerProblems(status: SyncStatus, now: Microseconds): readonly Problem[] {
  if (status.state === 'peer-lost') {
    const { lastHeard } = status.peer;
    const ago =
      lastHeard === undefined
        ? 'was never heard'
        : `was last heard ${Math.round(toMilliseconds(subtractTime(now, lastHeard)) / 1000)} s ago`;
    return [
      {
        severity: 'error',
        code: 'sync-peer-lost',
        text: `the sync peer ${ago}`,
        remedy: 'check the sync link, the peer daemon, and that the sync port may pass both ways',
      },
    ];
  }
  if (status.parity === 'different' && status.state === 'synchronised') {
    return [
      {
        severity: 'warning',
        code: 'parity',
        text: 'the peer holds other flows than this node sent',
        remedy: 'a resync is asked for by itself; "keepstate sync bulk" on the MASTER does it now',
      },
    ];
  }
  return [];
}

function tableProblems(name: string, entries: number, limit: number): readonly Problem[] {
  if (limit <= 0 || entries < limit * nearlyFull) return [];
  return [
    {
      severity: entries >= limit ? 'error' : 'warning',
      code: 'table-full',
      text: `the ${name} table is ${Math.floor((100 * entries) / limit)} % full`,
      remedy: 'raise HashLimit (and nf_conntrack_max) on both nodes',
    },
  ];
}

function linkProblems(status: SyncStatus): readonly Problem[] {
  return status.links.flatMap((link): readonly Problem[] => {
    if (!link.isUsable) {
      return [
        {
          severity: 'error',
          code: 'sync-link-down',
          text: `sync link ${link.interfaceName} is down`,
          remedy: `bring ${link.interfaceName} up; replication goes on over another link if there is one`,
        },
      ];
    }
    if (link.isSending !== false) return [];
    return [
      {
        severity: 'error',
        code: 'sync-link-unconnected',
        text: `sync link ${link.interfaceName} has no TCP connection to the peer`,
        remedy: 'the peer must listen there, and its filter must admit the port',
      },
    ];
  });
}

function lossProblems(status: SyncStatus): readonly Problem[] {
  const strangers: Problem[] =
    status.peer.strangers === 0
      ? []
      : [
          {
            severity: 'warning',
            code: 'sync-stranger',
            text: `replication traffic comes from ${status.peer.lastStranger ?? 'a stranger'}`,
            remedy: 'another cluster uses the same group or port: give each its own',
          },
        ];
  if (status.queues.resendDropped === 0) return strangers;
  return [
    ...strangers,
    {
      severity: 'warning',
      code: 'resend-overflow',
      text: `the resend queue overflowed ${status.queues.resendDropped} times`,
      remedy: 'raise ResendQueueSize, or give the sync link more bandwidth',
    },
  ];
}
