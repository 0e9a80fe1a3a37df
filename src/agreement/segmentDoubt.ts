/**
 * Rule 3: on a segment beats and adverts are missing in one direction, while another path lives.
 * Both nodes ask the peer and the same neighbours there, tell each other who answered, and the one
 * that is answered more gets the role: by a planned hand-over, after a second without.
 */
import { milliseconds, seconds, type Microseconds } from '../base/time.js';
import { tell } from './roleAccount.js';
import { extend, startTimer, stopTimer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { AgreementState, Answers, Doubt, Peer } from './agreementState.js';
import { holdRole, mayMoveByChoice } from './damping.js';
import { compareReach, type Comparison } from './reaches.js';
import type { AgreementSettings } from './settings.js';
import { endDoubt, giveWay, takeNow } from './taking.js';
import { isHeard, ownCandidate, segmentsOf, speakers, vrrpOrder } from './views.js';

const probeWithin = milliseconds(300);
const neighboursAsked = 8;
/** So long a planned hand-over is tried. */
const handOverTime = seconds(1);
/** Agreement within this, or VRRP's rules. */
const agreementTime = seconds(2);
/** What did not move is asked again. */
const pause = seconds(1);

/** After each event: a doubt begins, goes on, ends. */
export function reviseDoubt(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { doubt } = step.state;
  const found = findDoubt(step.state, at, settings);
  if (found === undefined) return endDoubt(leftToVrrp(step, false));
  if (doubt?.peer !== found.peer) {
    return step.state.isLeftToVrrp ? step : beginDoubt(step, found, at);
  }
  const isSame = String(doubt.segments) === String(found.segments);
  const revised = isSame ? step : ask(patchDoubt(step, { segments: found.segments }));
  return followDoubt(revised, at, settings);
}

interface Found {
  readonly peer: string;
  readonly segments: readonly string[];
}

/** One of the two is MASTER, both would serve, and they disagree with a segment. */
function findDoubt(
  state: AgreementState,
  at: Microseconds,
  settings: AgreementSettings,
): Found | undefined {
  const { own, peers, listening } = state;
  if (listening !== undefined || own.isInMaintenance || own.isLastResort) return undefined;
  for (const [name, says] of speakers(state, at, settings)) {
    const roles = `${own.role} ${says.role}`;
    if (roles !== 'MASTER BACKUP' && roles !== 'BACKUP MASTER') continue;
    const peer = peers[name];
    if (peer === undefined || says.isInMaintenance || says.isLastResort) continue;
    const segments = segmentsOf(settings).filter((path) => isMissing(peer, path, settings.node));
    if (segments.length > 0) return { peer: name, segments };
  }
  return undefined;
}

function isMissing({ paths, said }: Peer, path: string, node: string): boolean {
  const here = paths[path]?.state;
  const there = said?.hears[node]?.[path];
  return [here, there].some((state) => state === 'silent' || state === 'down');
}

function beginDoubt(
  step: AgreementStep,
  { peer, segments }: Found,
  since: Microseconds,
): AgreementStep {
  const doubt: Doubt = {
    ...{ peer, segments, since, probe: undefined, answers: undefined, asks: [] },
    stage: 'asking',
  };
  return ask(extend(step, { doubt }));
}

function ask(step: AgreementStep): AgreementStep {
  const { doubt, peers, works } = step.state;
  if (doubt === undefined) return step;
  const isMoving = doubt.stage !== 'asking' && doubt.stage !== 'judged';
  const probe = works + 1;
  const { peer, segments } = doubt;
  const also = peers[peer]?.said?.asks ?? [];
  return extend(
    step,
    { works: probe, doubt: { ...doubt, probe, stage: 'asking' } },
    ...(isMoving ? (['force', 'deadline'] as const).map(stopTimer) : []),
    {
      ...({ kind: 'probe', probe, peer, segments, neighbours: neighboursAsked } as const),
      ...{ within: probeWithin, also },
    },
    startTimer('again', pause),
  );
}

export function segmentsProbed(
  step: AgreementStep,
  { probe, answers, asked }: EventOf<'probed'>,
): AgreementStep {
  const { doubt } = step.state;
  if (doubt?.probe !== probe) return step;
  const stage = doubt.stage === 'asking' ? 'judged' : doubt.stage;
  return patchDoubt(step, { answers, asks: asked.slice(0, neighboursAsked), stage });
}

/** A third router's adverts where the peer's are missing: evidence without a question (rule 7). */
export function heardWherePeerIsNot(step: AgreementStep, segment: string): AgreementStep {
  const { doubt } = step.state;
  if (doubt?.segments.includes(segment) !== true || doubt.stage !== 'asking') return step;
  if (step.state.peers[doubt.peer]?.paths[segment]?.state !== 'silent') return step;
  const found = { peer: false, answered: neighboursAsked, hasCarrier: true, hasTargets: true };
  const answers: Answers = { ...doubt.answers, [segment]: found };
  return patchDoubt(step, { answers, stage: 'judged' });
}

/** With what both were answered. */
function followDoubt(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { doubt, own } = step.state;
  if (doubt === undefined) return step;
  const result = judge(step.state, doubt, settings);
  if (own.role === 'MASTER') return asMaster(step, doubt, result, at, settings);
  return asBackup(step, doubt, result, at);
}

function judge(
  state: AgreementState,
  { peer, answers, segments }: Doubt,
  settings: AgreementSettings,
): Comparison | undefined {
  const said = state.peers[peer]?.said;
  if (answers === undefined || said === undefined) return undefined;
  const result = compareReach(answers, said.reach, segments, settings);
  if (result !== 'equal' || !settings.preempts) return result;
  const { priority } = ownCandidate(state, settings);
  if (priority === said.priority) return 'equal';
  return vrrpOrder({ priority, address: settings.node }, said) > 0 ? 'better' : 'worse';
}

function asMaster(
  step: AgreementStep,
  doubt: Doubt,
  result: Comparison | undefined,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { state } = step;
  const claims = state.peers[doubt.peer]?.said?.claims ?? 0;
  // Whoever sees less evidence believes who sees more.
  if (claims > state.term && (result === 'worse' || result === undefined)) {
    const because = `the peer serves ${doubt.segments.join(', ')} and takes the role`;
    return giveWay(holdRole(step, doubt.segments, settings), 3, because, 'BACKUP', settings);
  }
  if (doubt.stage !== 'judged' || result === undefined) return step;
  if (result !== 'worse' || !mayMoveByChoice(state, at)) return step;
  const because = `by who is answered on ${doubt.segments.join(', ')} the peer is to serve`;
  const told = tell(patchDoubt(step, { stage: 'handing' }), 3, because, settings);
  return extend(
    told,
    {},
    stopTimer('again'),
    { kind: 'handOver', because },
    startTimer('deadline', agreementTime),
  );
}

function asBackup(
  step: AgreementStep,
  doubt: Doubt,
  result: Comparison | undefined,
  at: Microseconds,
): AgreementStep {
  if (doubt.stage !== 'judged' || result !== 'better') return step;
  if (!mayMoveByChoice(step.state, at)) return step;
  return extend(
    patchDoubt(step, { stage: 'waiting' }),
    {},
    stopTimer('again'),
    startTimer('force', handOverTime),
    startTimer('deadline', agreementTime),
  );
}

/** The hand-over took too long: this node says that it takes, the MASTER's addresses go. */
export function forceMove(step: AgreementStep): AgreementStep {
  return step.state.doubt?.stage === 'waiting' ? patchDoubt(step, { stage: 'claiming' }) : step;
}

/** The MASTER gave way, by the hand-over or because this node claims the role. */
export function takeFromYielded(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  const { doubt, own, peers } = step.state;
  if (doubt?.stage !== 'claiming' || own.role !== 'BACKUP') return step;
  const peer = peers[doubt.peer];
  if (peer === undefined || !isHeard(peer) || peer.said?.role !== 'BACKUP') return step;
  const because = `the peer gave way on ${doubt.segments.join(', ')}`;
  const held = holdRole(step, doubt.segments, settings);
  return takeNow(held, { rule: 3, because, isAsked: false, needsLease: false }, settings);
}

export function agreementFailed(
  step: AgreementStep,
  _event: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { doubt } = step.state;
  if (doubt === undefined) return step;
  const because = "no agreement within 2 s: VRRP's rules hold";
  return leftToVrrp(endDoubt(tell(step, 3, because, settings)), true);
}

/** Until the role moves, or the segment is whole. */
function leftToVrrp(step: AgreementStep, isLeftToVrrp: boolean): AgreementStep {
  return step.state.isLeftToVrrp === isLeftToVrrp ? step : extend(step, { isLeftToVrrp });
}

export function askAgain(step: AgreementStep): AgreementStep {
  const stage = step.state.doubt?.stage;
  return stage === 'judged' || stage === 'asking' ? ask(step) : step;
}

function patchDoubt(step: AgreementStep, change: Partial<Doubt>): AgreementStep {
  const { doubt } = step.state;
  return doubt === undefined ? step : extend(step, { doubt: { ...doubt, ...change } });
}
