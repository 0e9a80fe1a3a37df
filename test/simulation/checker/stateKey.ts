/**
 * What makes two states the same: everything that a later step can depend on, with times as
 * distances from now. Left out is what only people read (reasons, counters, since when), and how
 * long ago something was where no rule looks that far back.
 */
import type { CoordinatorState } from '../../../src/coordinator/vocabulary.js';
import type { InstanceState, UnitState } from '../../../src/vrrp/machine/state.js';
import { memberNames, type ClusterState, type NodeState, type Report } from './clusterState.js';
import type { WorkerState } from './workerRun.js';

/** A minute, the longest that a rule looks back (yieldPause in src/coordinator/evidence.ts). */
const longestMemory = -60_000_000;
/** Three intervals and a skew: a master that was heard before that counts as silent. */
const heardMemory = -5_000_000;
/** How often a MASTER that gave way still shows itself: beyond this it is the same story. */
const mostTestimonies = 3;

export function keyOf({ now, nodes, messages }: ClusterState): string {
  const datagrams = messages.map(({ due, to, member, datagram }) => {
    // The priority is the third byte of an advert; all else follows from the sender.
    return `${to}${member}${datagram.payload[2] ?? 0}@${due - now}`;
  });
  return `${nodes.map((node) => nodeKey(node, now)).join('|')}|${datagrams.sort().join(',')}`;
}

function nodeKey(node: NodeState, now: number): string {
  if (!node.isAlive) {
    return `dead ${node.vips.join('')} ${distance(node.lastAdvert, now, heardMemory)}`;
  }
  const { unit, coordinator, timers, reports, vips } = node;
  const rings = Object.entries(timers).map(([key, due]) => `${key}${due - now}`);
  const told = reports.map((report) => `${reportKey(report, node)}@${report.due - now}`);
  return [
    unitKey(unit, now),
    coordinatorKey(coordinator, unit.epoch, now),
    workerKey(node.worker, coordinator.epoch, now),
    rings.sort().join(','),
    told.join(','),
    vips.join(''),
  ].join(';');
}

function reportKey(report: Report, { coordinator, worker }: NodeState): string {
  if (report.to === 'table') return 'table';
  const { event } = report;
  const epoch = 'epoch' in event ? event.epoch - coordinator.epoch : '';
  const work = 'work' in event ? event.work - worker.role.works : '';
  return `${event.kind}${epoch}#${work}`;
}

function workerKey(worker: WorkerState, epoch: number, now: number): string {
  const { role: state, awaitsTable, hasTable, heardStory } = worker;
  const { course, purge, merge, stepDown, works } = state;
  const courseWork = 'work' in course ? course.work - works : '';
  const goesOn = course.stage === 'committing' ? course.for : '';
  const next = course.stage === 'stopping' ? `${course.next.to} ${course.leaves?.to ?? ''}` : '';
  const isHeld = purge.heldUntil === undefined ? '' : Math.max(0, purge.heldUntil - now);
  return [
    ...[awaitsTable, hasTable, heardStory !== undefined],
    ...[state.role, state.epoch - epoch, state.isComplete, state.masterUntil !== undefined],
    ...[state.stance, state.following, state.hasMissed],
    ...[course.stage, courseWork, goesOn, next],
    ...[purge.stage, purge.waitsForMaster, purge.isMasterHeard, purge.isBlind, purge.pause, isHeld],
    purge.due === undefined ? '' : Math.max(0, purge.due - now),
    purge.work === undefined ? '' : purge.work - works,
    merge === undefined
      ? ''
      : [
          merge.stage,
          merge.work === undefined ? '' : merge.work - works,
          distance(merge.startedAt, now, longestMemory),
          distance(merge.waitsSince, now, longestMemory),
        ].join(),
    stepDown === undefined ? '' : distance(stepDown.endedAt, now, heardMemory),
  ].join(',');
}

function unitKey(unit: UnitState, now: number): string {
  const members = memberNames.map((name) => {
    const member = unit.members[name];
    return member === undefined ? '' : memberKey(member, now);
  });
  const { role, preemption, releaseOrder, isStarted } = unit;
  return `${role} ${preemption} ${releaseOrder.join('')} ${isStarted} ${members.join(' ')}`;
}

function memberKey(member: InstanceState, now: number): string {
  const { master, weakerMaster } = member;
  return [
    member.state,
    member.wantsMaster,
    master === undefined
      ? ''
      : `${master.priority}@${distance(master.lastHeard, now, heardMemory)}`,
    weakerMaster === undefined
      ? ''
      : `${weakerMaster.priority}@${distance(weakerMaster.lastHeard, now, heardMemory)}`,
    member.preemptDelay,
    Math.max(0, member.quietUntil - now),
    distance(member.lastAdvertSent, now, heardMemory),
    distance(member.lastTieWon, now, heardMemory),
    distance(member.firstTieLost, now, heardMemory),
    distance(member.lastAnswer, now, heardMemory),
    member.vips,
    member.drainingFor,
  ].join(',');
}

function coordinatorKey(state: CoordinatorState, unitEpoch: number, now: number): string {
  const { preparation, takeover, merge, evidence } = state;
  const ago = (at: number | undefined): string => distance(at, now, longestMemory);
  return [
    state.role,
    distance(state.masterSince, now, heardMemory),
    state.isSuccessor,
    state.worker,
    state.caughtUp,
    state.otherMasterHeard,
    preparation === undefined
      ? ''
      : [
          preparation.for,
          preparation.stage,
          preparation.unitEpoch === undefined ? '' : preparation.unitEpoch - unitEpoch,
          preparation.summary?.cancelled,
        ].join(),
    takeover === undefined
      ? ''
      : [
          takeover.vips,
          takeover.commit === 'running',
          takeover.isRestart,
          takeover.unitEpoch - unitEpoch,
        ].join(),
    merge === undefined ? '' : `${merge.isAnnounced}@${ago(merge.startedAt)}`,
    distance(state.lastMerge, now, heardMemory),
    evidence.advertisers.join(),
    ago(evidence.rivalSeen),
    ago(evidence.resumed),
    ago(evidence.yieldMerged),
    evidence.unproven === undefined ? '' : ago(evidence.unproven.at),
    Math.min(state.testimonies, mostTestimonies),
  ].join(',');
}

function distance(at: number | undefined, now: number, floor: number): string {
  return at === undefined ? '-' : String(Math.max(at - now, floor));
}

/** 53 bits of a text: two states of a search meet in one number once in millions of searches. */
export function fingerprint(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13);
  }
  return (high >>> 0) * 0x20_0000 + ((low ^ (low >>> 11)) & 0x1f_ffff);
}
