/**
 * Rule 1: a MASTER whose living paths all fell silent. After half of the limit its kernel is asked
 * for its own address, and neighbours for theirs: a dead process is told from a dead node, and a
 * dead switch from both.
 */
import {
  microseconds,
  milliseconds,
  seconds,
  subtractTime,
  type Microseconds,
} from '../base/time.js';
import { raise, tell } from './roleAccount.js';
import { extend, patchPeer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { AgreementState, Answers, Peer, PeerPath, Silence } from './agreementState.js';
import { betterCandidates, isHeardByOthers } from './candidates.js';
import { leaseTime } from './arbiter.js';
import { falseSilence } from './damping.js';
import { silenceLimit } from './limits.js';
import type { AgreementSettings } from './settings.js';
import { endTurn, takeInTurn } from './taking.js';
import type { PathState } from './statement.js';
import { isHeard, segmentsOf, speakers } from './views.js';

const probeWithin = milliseconds(30);
const neighboursAsked = 2;
/** Who answered longer ago is asked again. */
const answersCountFor = seconds(1);

export function allSilent(
  step: AgreementStep,
  { at, peer: name, lasted }: EventOf<'allSilent'>,
  settings: AgreementSettings,
): AgreementStep {
  const peer = step.state.peers[name];
  if (peer === undefined || !canJudge(peer, settings)) return step;
  if (peer.said?.role !== 'MASTER' || step.state.taking !== undefined) return step;
  const kept = keptFrom(step.state, settings);
  if (kept !== undefined) return tellNobody(step, kept, at, settings);
  const limit = silenceLimit(step.state, peer, settings);
  const began = microseconds(at - lasted);
  if (lasted < limit) return ask(step, name, at, began, settings);
  const isAsked = step.state.silence?.peer === name && isFresh(step.state.silence, at, limit);
  const asked = isAsked ? step : ask(step, name, at, began, settings);
  const whole = patchSilence(asked, { isWhole: true });
  const paths = mapPaths(peer, (path) => ({ ...path, state: silenced(path.state) }));
  return patchPeer(whole, name, { fellSilent: peer.session, paths });
}

/** Answers to questions of an earlier silence say nothing of this one. */
function isFresh({ since }: Silence, at: Microseconds, limit: Microseconds): boolean {
  return subtractTime(at, since) <= limit;
}

function silenced(state: PathState): PathState {
  return state === 'living' ? 'silent' : state;
}

function mapPaths({ paths }: Peer, change: (path: PeerPath) => PeerPath): Peer['paths'] {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, change(path)]));
}

/** What silence can tell: no path is flooded, one that was heard has carrier, and there are two. */
function canJudge({ paths }: Peer, settings: AgreementSettings): boolean {
  const states = Object.values(paths).map(({ state }) => state);
  if (settings.paths.length < 2 || states.includes('blind')) return false;
  return states.includes('silent') || states.includes('living');
}

/** Why this node does not serve, whoever else does not. */
function keptFrom({ own }: AgreementState, { lastResort }: AgreementSettings): string | undefined {
  if (own.isInMaintenance) return 'it is in maintenance';
  if (own.role === 'FAULT') return lastResort ? undefined : 'it is in FAULT';
  return own.role === 'BACKUP' ? undefined : 'it has not begun';
}

function ask(
  step: AgreementStep,
  peer: string,
  since: Microseconds,
  began: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const probe = step.state.works + 1;
  const segments = segmentsOf(settings);
  return extend(
    step,
    { works: probe, silence: { peer, since, began, probe, answers: undefined, isWhole: false } },
    {
      ...({ kind: 'probe', probe, peer, segments, neighbours: neighboursAsked } as const),
      ...{ within: probeWithin, also: [] },
    },
  );
}

export function silenceProbed(
  step: AgreementStep,
  { probe, answers }: EventOf<'probed'>,
): AgreementStep {
  return step.state.silence?.probe === probe ? patchSilence(step, { answers }) : step;
}

/** After each event: the limit has passed, the answers are in, and no third node hears it. */
export function judgeSilence(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { silence, taking } = step.state;
  if (silence?.answers === undefined || !silence.isWhole || taking !== undefined) return step;
  if (isHeardByOthers(step.state, silence.peer, at, settings)) return step;
  if (subtractTime(at, silence.since) > answersCountFor) {
    return patchSilence(ask(step, silence.peer, at, silence.began, settings), { isWhole: true });
  }
  const verdict = verdictOf(silence.answers);
  if (verdict !== undefined) {
    return extend(tell(step, 1, verdict, settings), { silence: undefined });
  }
  const because = 'all paths are silent, its kernel too, and a neighbour answers: the node is gone';
  const cause = { rule: 1, because, isAsked: false, needsLease: true };
  const better = betterCandidates(step.state, silence.peer, at, settings);
  return takeInTurn(step, cause, better, silence.peer, settings);
}

/** Why nothing follows but VRRP's time; undefined: the node is gone. */
function verdictOf(answers: Answers): string | undefined {
  const segments = Object.values(answers);
  if (segments.some(({ peer }) => peer)) {
    return "all paths are silent, its kernel answers: only the process is gone, VRRP's time counts";
  }
  if (!segments.some(({ answered }) => answered > 0)) {
    return "all paths are silent and nobody answers: the fault may be here, VRRP's time counts";
  }
  return undefined;
}

/** A sign of life: what was thought of its silence is over. */
export function livesAgain(
  step: AgreementStep,
  name: string,
  settings: AgreementSettings,
): AgreementStep {
  const { silence, taking, peers } = step.state;
  const peer = peers[name];
  if (peer === undefined || !isHeard(peer)) return step;
  let next = step;
  if (silence?.peer === name) next = extend(next, { silence: undefined });
  if (taking?.rule === 1 && taking.stage !== 'done' && !taking.isAsked) {
    next = extend(endTurn(next), { taking: undefined });
  }
  if (peer.fellSilent === undefined) return next;
  const wasNone = peer.fellSilent === peer.session;
  const forgotten = patchPeer(next, name, { fellSilent: undefined });
  return wasNone ? falseSilence(forgotten, settings) : forgotten;
}

/** A MASTER that needs the lease steps down before another can have it. */
function watchedLimit(
  state: AgreementState,
  peer: Peer,
  settings: AgreementSettings,
): Microseconds {
  const limit = silenceLimit(state, peer, settings);
  if (settings.arbiter !== 'required' || state.own.role !== 'MASTER') return limit;
  return microseconds(Math.min(limit, leaseTime));
}

/** The beat thread is told each limit that is in force. */
export function watchPeers(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  let next = step;
  for (const [name, peer] of Object.entries(step.state.peers)) {
    const limit = watchedLimit(step.state, peer, settings);
    if (peer.watched === limit || !isHeard(peer)) continue;
    next = patchPeer(next, name, { watched: limit });
    next = extend(next, {}, { kind: 'watchSilence', peer: name, limit });
  }
  return next;
}

/** Said as critical: a MASTER went, and this node is kept from the role. */
function tellNobody(
  step: AgreementStep,
  because: string,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const isInitial = step.state.own.role === 'INIT';
  if (isInitial || speakers(step.state, at, settings).length > 0) return step;
  return raise(step, 'no-master', `the MASTER is silent and this node does not serve: ${because}`);
}

function patchSilence(step: AgreementStep, change: Partial<Silence>): AgreementStep {
  const { silence } = step.state;
  return silence === undefined ? step : extend(step, { silence: { ...silence, ...change } });
}
