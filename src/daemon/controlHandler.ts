/** Answers the requests of the control socket from a node. */
import { seconds, type Microseconds, type Timers } from '../base/time.js';
import { refusal, type ControlRequest, type ControlResult } from '../control/protocol.js';
import type { ControlHandler } from '../control/server.js';
import type { DoneAnswer, StatusAnswer } from '../control/statusAnswer.js';
import type { SyncRequest } from '../sync/messages.js';
import type { KeepstateNode } from './node.js';
import { statsText } from './statsText.js';

/** Before a hand-over is refused. */
const settleTimeout: Microseconds = seconds(3);
/** A commit of a full table takes this long at the very most. */
const syncTimeout: Microseconds = seconds(60);

type Operation = Extract<ControlRequest, { verb: 'failover' | 'failoverRelease' | 'maintenance' }>;

export interface ControlPorts {
  readonly timers: Timers;
  readonly reload: () => Promise<ControlResult>;
}

export function controlHandler(
  node: KeepstateNode,
  { timers, reload }: ControlPorts,
): ControlHandler {
  return {
    subscribe: (sink) => node.history.subscribe((entry) => sink(entry)),
    answer: async (request) => {
      switch (request.verb) {
        case 'ping':
          return { ok: true, result: 'pong' };
        case 'status':
          return { ok: true, result: await freshStatus(node) };
        case 'history':
          return { ok: true, result: node.history.entries(request.limit) };
        case 'stats':
          return statsText(node.status(), request.section, timers);
        case 'sync':
          return sync(node, toSyncRequest(request));
        case 'failover':
        case 'failoverRelease':
        case 'maintenance':
          return operate(node, request);
        case 'acknowledge':
          return acknowledge(node, request);
        case 'reload':
          return reload();
        case 'events':
          return refusal('unknown-request', 'a stream is not answered once');
      }
    },
  };
}

/**
 * With the sync engine's figures of now; with its last ones where it is too busy, which the answer
 * tells.
 */
async function freshStatus(node: KeepstateNode): Promise<StatusAnswer> {
  await node.supervisor?.refresh();
  return node.status();
}

function acknowledge(
  node: KeepstateNode,
  { code, all }: Extract<ControlRequest, { verb: 'acknowledge' }>,
): ControlResult {
  node.noteProblems();
  if (code !== undefined) return node.acknowledge({ which: 'code', code });
  return node.acknowledge({ which: all ? 'all' : 'ended' });
}

async function sync(node: KeepstateNode, request: SyncRequest): Promise<ControlResult> {
  if (node.supervisor === undefined) {
    return refusal(
      'no-sync',
      'this node replicates nothing: its configuration has no Sync block',
      'add the Sync and General blocks of conntrackd.conf',
    );
  }
  const { ok, message, counts, durationMs } = await node.supervisor.request(request, syncTimeout);
  if (!ok) return refusal('sync-refused', message, 'see "keepstate status"');
  const result: DoneAnswer = { message, counts, durationMs };
  return { ok: true, result };
}

function toSyncRequest(request: Extract<ControlRequest, { verb: 'sync' }>): SyncRequest {
  switch (request.action) {
    case 'commit':
      return { verb: 'commit', table: 'all' };
    case 'flush':
      return { verb: 'flush', cache: request.cache ?? 'all' };
    case 'resync':
      return { verb: 'resync', table: 'all' };
    case 'request':
    case 'bulk':
    case 'purge':
      return { verb: request.action };
  }
}

async function operate(node: KeepstateNode, request: Operation): Promise<ControlResult> {
  // Whether the peer may have the role is decided by what it holds now, and a resync takes moments.
  const isHandOver = request.verb === 'failover' || (request.verb === 'maintenance' && request.on);
  if (isHandOver && !request.force) {
    await node.supervisor?.settled(settleTimeout);
  }
  if (request.verb === 'failover' && request.stay === true && !isMaster(node)) {
    return stays(node, { ok: true, result: { message: 'this node is not MASTER' } });
  }
  const { verb, ...parameters } = request;
  // Each verb carries the parameters of the coordinator's event of the same name.
  const asked = node.askCoordinator({ kind: verb, ...parameters } as Parameters<
    KeepstateNode['askCoordinator']
  >[0]);
  const result = await (asked ?? operateUnbound(node, request));
  switch (request.verb) {
    case 'maintenance':
      if (!request.on) node.memory.setHold(false);
      return saved(node, result);
    case 'failover':
      return request.stay === true ? stays(node, result) : result;
    case 'failoverRelease':
      node.memory.setHold(false);
      return result;
  }
}

function isMaster({ router }: KeepstateNode): boolean {
  return router.roles().units.some(({ state }) => state === 'MASTER');
}

/**
 * `failover --stay`: what was handed over stays there over a restart, unless `return_role` is on.
 */
function stays(node: KeepstateNode, result: ControlResult): ControlResult {
  if (!result.ok || node.settings.keepstate.returnRole) return result;
  node.memory.setHold(true);
  const { message } = result.result as DoneAnswer;
  return {
    ok: true,
    result: { message: `${message}; preemption is held, also over restarts` },
  };
}

/** Maintenance that a restart would not know of is not what was asked for. */
function saved(node: KeepstateNode, result: ControlResult): ControlResult {
  const { maintenance, maintenanceUnsaved: because } = node.memory;
  if (!result.ok || because === undefined) return result;
  return refusal(
    'not-saved',
    `maintenance is ${maintenance ? 'on' : 'off'}, but a restart would not know of it: ${because}`,
    'make state_directory writable and ask again',
  );
}

function releasedText({ settings }: KeepstateNode): string {
  return settings.vrrp.instances.some(({ preempt }) => preempt)
    ? 'preemption is no longer held'
    : 'preemption is no longer held, but nopreempt is configured: the role stays where it is';
}

/** Without a role that drives the sync engine, VRRP alone can still hand over and rest. */
function operateUnbound(node: KeepstateNode, request: Operation): ControlResult {
  const { router } = node;
  switch (request.verb) {
    case 'maintenance':
      node.setMaintenance(request.on);
      return { ok: true, result: { message: `maintenance is ${request.on ? 'on' : 'off'}` } };
    case 'failover':
      for (const unit of router.unitNames) router.resign(unit, 'planned hand-over');
      return { ok: true, result: { message: 'priority 0 was sent where this node was MASTER' } };
    case 'failoverRelease':
      for (const unit of router.unitNames) router.releasePreemption(unit);
      return { ok: true, result: { message: releasedText(node) } };
  }
}
