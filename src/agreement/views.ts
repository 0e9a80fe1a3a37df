/** What follows from a state without changing it. */
import { subtractTime, type Microseconds } from '../base/time.js';
import { compareIp, parseIp } from '../base/ipAddress.js';
import type { AgreementState, Peer } from './agreementState.js';
import type { AgreementSettings } from './settings.js';
import type { Reach, UnitStatement } from './statement.js';

/** What this node says of the unit in its beats. */
export function statementOf(state: AgreementState, settings: AgreementSettings): UnitStatement {
  const { own, peers, doubt, term, listening } = state;
  return {
    role: listening === undefined ? own.role : 'INIT',
    term,
    held: own.held,
    claims: doubt?.stage === 'claiming' ? term + 1 : 0,
    faulty: own.faulty,
    isLastResort: own.isLastResort,
    isSynchronised: own.isSynchronised,
    isInMaintenance: own.isInMaintenance,
    priority: own.priority,
    address: settings.node,
    hears: Object.fromEntries(
      Object.entries(peers).map(([name, { paths }]) => [
        name,
        Object.fromEntries(Object.entries(paths).map(([path, { state: heard }]) => [path, heard])),
      ]),
    ),
    reach: Object.fromEntries(
      Object.entries(doubt?.answers ?? {}).map(([segment, found]): [string, Reach] => {
        const { answered, hasCarrier, hasTargets } = found;
        return [segment, { answered, hasCarrier, hasTargets }];
      }),
    ),
    asks: doubt?.asks ?? [],
  };
}

/** Some path is known to carry its beats; a flooded one may. */
export function isHeard({ paths }: Peer): boolean {
  return Object.values(paths).some(({ state }) => state === 'living' || state === 'blind');
}

/**
 * Its last statement, while it is heard and its loop turns: what a loop that stands still for VRRP's
 * time once said counts no more (rule 4).
 */
function presentWords(
  peer: Peer,
  at: Microseconds,
  { masterDown }: AgreementSettings,
): UnitStatement | undefined {
  const { standsSince, said } = peer;
  const stands = standsSince !== undefined && subtractTime(at, standsSince) >= masterDown;
  return isHeard(peer) && !stands ? said : undefined;
}

/** Peers that speak, each with what it says. */
export function speakers(
  state: AgreementState,
  at: Microseconds,
  settings: AgreementSettings,
): readonly (readonly [string, UnitStatement])[] {
  return Object.entries(state.peers).flatMap(([name, peer]) => {
    const says = presentWords(peer, at, settings);
    return says === undefined ? [] : [[name, says] as const];
  });
}

/** Whether a peer says that it hears this node. */
export function hearsNode({ hears }: UnitStatement, { node }: AgreementSettings): boolean {
  return Object.values(hears[node] ?? {}).some((heard) => heard === 'living');
}

/** The peer that says MASTER now. */
export function livingMaster(
  state: AgreementState,
  at: Microseconds,
  settings: AgreementSettings,
): string | undefined {
  return speakers(state, at, settings).find(
    ([name, { role }]) => role === 'MASTER' && !isPredecessor(state, name),
  )?.[0];
}

function isPredecessor({ predecessor, peers }: AgreementState, name: string): boolean {
  if (predecessor?.peer !== name) return false;
  const { session, sequence } = peers[name] ?? {};
  return session === predecessor.session && sequence === predecessor.sequence;
}

/** Whether a node could serve without a fault. */
export function isAble({ role, faulty, isInMaintenance }: Candidate): boolean {
  return role !== 'INIT' && role !== 'FAULT' && faulty.length === 0 && !isInMaintenance;
}

export type Candidate = Pick<
  UnitStatement,
  'role' | 'faulty' | 'isInMaintenance' | 'isSynchronised' | 'priority' | 'address' | 'held'
>;

export function ownCandidate(state: AgreementState, settings: AgreementSettings): Candidate {
  return { ...state.own, address: settings.node };
}

/** VRRP's order: above 0 where `a` is the stronger (RFC 9568 6.4.3). */
export function vrrpOrder(
  a: Pick<Candidate, 'priority' | 'address'>,
  b: Pick<Candidate, 'priority' | 'address'>,
): number {
  const difference = a.priority - b.priority;
  if (difference !== 0) return difference;
  const [first, second] = [parseIp(a.address), parseIp(b.address)];
  return first === undefined || second === undefined ? 0 : compareIp(first, second);
}

/** Rule 7: who takes the role first; above 0 where `a` does. */
export function candidateOrder(a: Candidate, b: Candidate): number {
  return (
    Number(isAble(a)) - Number(isAble(b)) ||
    Number(a.isSynchronised) - Number(b.isSynchronised) ||
    vrrpOrder(a, b)
  );
}

/** Rule 2: who serves where nobody can without a fault; above 0 where `a` does. */
export function lastResortOrder(a: Candidate, b: Candidate): number {
  return (
    Number(b.isInMaintenance) - Number(a.isInMaintenance) ||
    b.faulty.length - a.faulty.length ||
    a.held - b.held ||
    vrrpOrder(a, b)
  );
}

export function segmentsOf({ paths }: AgreementSettings): readonly string[] {
  return paths.filter(({ kind }) => kind === 'segment').map(({ name }) => name);
}
