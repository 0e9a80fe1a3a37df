/**
 * The first lines of `status`: who is MASTER, what this node and its peer are, since when and why.
 * Pure.
 */
import type { RoleState, StatusAnswer } from '../control/statusAnswer.js';
import { age, duration, paint, utc, wrap, type Look, type Tone } from './terminal.js';

const toneOf: Readonly<Record<RoleState, Tone>> = {
  MASTER: 'good',
  BACKUP: 'strong',
  FAULT: 'bad',
  INIT: 'warning',
};

/** `now`: milliseconds since 1970. */
export function heading(status: StatusAnswer, now: number, look: Look): string {
  const { node, role, since, reason } = status;
  const master = masterLine(status, now);
  const subject = master === undefined ? node : `this node, ${node},`;
  const own = `${subject} is ${role} since ${utc(since)} (${age(since, now)}): ${reason}`;
  const wrapped =
    master === undefined ? wrap(own, look.columns, 2) : `  ${wrap(own, look.columns - 2, 4)}`;
  const lines = [
    ...(master === undefined ? [] : [wrap(master, look.columns, 2)]),
    wrapped.replace(role, paint(role, toneOf[role], look)),
    ...peerLines(status, now).map((line) => `  ${wrap(line, look.columns - 2, 4)}`),
  ];
  if (status.phase !== 'steady') lines.push(`  now: ${status.phase}`);
  const warn = (text: string): void => {
    lines.push(paint(`  ${wrap(text, look.columns - 2, 2)}`, 'warning', look));
  };
  if (status.maintenance) {
    warn(
      role === 'MASTER'
        ? 'maintenance is on, and this node is still MASTER'
        : 'maintenance is on: this node never takes the role',
    );
  }
  const peer = status.sync?.peer;
  if (peer?.maintenance === true) {
    warn(`the peer${named(peer.name)} is in maintenance: it would not take the role`);
  }
  if (status.preemptionHeld && !status.maintenance) {
    lines.push('  preemption is held (keepstate failover --release ends that)');
  }
  return lines.join('\n');
}

/** undefined where the line of this node says it. */
function masterLine(status: StatusAnswer, now: number): string | undefined {
  const peer = status.sync?.peer;
  const peerName = peer?.name ?? 'the peer';
  const isSplit = status.problems.some(
    ({ code, ended }) => code === 'two-masters' && ended === undefined,
  );
  if (status.role === 'MASTER') {
    if (!isSplit) return undefined;
    const other = peer?.role === 'MASTER' ? peerName : 'another router';
    return `TWO MASTERS: ${status.node} (this node) and ${other}`;
  }
  if (peer?.role === 'MASTER') {
    const since =
      peer.roleSince === undefined
        ? ''
        : ` since ${utc(peer.roleSince)} (${age(peer.roleSince, now)})`;
    return `${peerName} is MASTER${since}, as it says itself`;
  }
  const heard = status.instances.flatMap((one) =>
    one.state === 'MASTER' || one.peer === undefined ? [] : [one.peer],
  );
  const [first] = [...heard].sort((a, b) => a.heardAgoMs - b.heardAgoMs);
  if (first === undefined) return 'nobody is known to be MASTER';
  const { address, priority, heardAgoMs } = first;
  return `${address} is MASTER, as VRRP says (priority ${priority}, heard ${duration(heardAgoMs)} ago)`;
}

/** A MASTER stands in the first line already. */
function peerLines({ sync, role }: StatusAnswer, now: number): readonly string[] {
  if (sync === undefined) return [];
  const { peer } = sync;
  if (peer.kind === 'none')
    return [`the peer${named(peer.name)} is not heard: its role is unknown`];
  if (peer.role === 'unknown' || peer.roleSince === undefined) {
    if (peer.kind === 'conntrackd')
      return ['the role of the peer is unknown: only a keepstate tells it'];
    const why =
      peer.units === undefined ? 'it is an older keepstate' : 'it tells several, see SYNC';
    return [`the role of the peer${named(peer.name)} is unknown: ${why}`];
  }
  if (peer.role === 'MASTER' && role !== 'MASTER') return [];
  const since = `since ${utc(peer.roleSince)} (${age(peer.roleSince, now)})`;
  return [`the peer${named(peer.name)} is ${peer.role} ${since}, as it says itself`];
}

function named(name: string | undefined): string {
  return name === undefined ? '' : ` ${name}`;
}
