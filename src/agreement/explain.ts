/**
 * What would happen now if a peer, a path, a member of this node or the arbiter went: the machine
 * is asked itself, by events that have not happened.
 */
import {
  addTime,
  microseconds,
  milliseconds,
  toMilliseconds,
  type Microseconds,
} from '../base/time.js';
import type { AgreementAction, AgreementStep } from './agreementActions.js';
import type { AgreementEvent } from './agreementEvents.js';
import type { AgreementState, Answers, Peer } from './agreementState.js';
import { silenceLimit } from './limits.js';
import { agreementStep } from './machine.js';
import type { AgreementSettings, PathSettings } from './settings.js';
import type { Reach } from './statement.js';
import { isHeard, segmentsOf } from './views.js';

export interface Foresight {
  readonly goes: string;
  readonly then: string;
}

/** As an event of the machine, at a time of its own. */
type Imagined = AgreementEvent extends infer Event
  ? Event extends AgreementEvent
    ? Omit<Event, 'at'>
    : never
  : never;

export function explain(
  state: AgreementState,
  at: Microseconds,
  settings: AgreementSettings,
): readonly Foresight[] {
  const ask = (goes: string, ...events: readonly Imagined[]): Foresight => ({
    goes,
    then: outcome(imagine(state, events, at, settings), settings),
  });
  const peers = Object.entries(state.peers).flatMap(([name, peer]) =>
    peer.said === undefined || !isHeard(peer)
      ? [{ goes: name, then: "it is not heard: VRRP's rules alone" }]
      : [
          ask(`the power of ${name}`, ...darkness(state, name, peer, settings, 'neighbours')),
          ask(`the process of ${name}`, ...darkness(state, name, peer, settings, 'kernel')),
          ...settings.paths.flatMap((path) => pathGoes(ask, name, peer, path)),
          ask(`all paths to ${name}`, ...darkness(state, name, peer, settings, 'nobody')),
        ],
  );
  const members =
    state.own.role === 'MASTER'
      ? [ask('a member of this node', { kind: 'faultImminent', faulty: ['a member'] })]
      : [];
  const arbiter =
    settings.arbiter === 'none' ? [] : [ask('the arbiter', { kind: 'lease', state: 'lost' })];
  return [...peers, ...members, ...arbiter];
}

/** All paths of a peer are silent for the whole limit; who answers then. */
function darkness(
  state: AgreementState,
  name: string,
  peer: Peer,
  settings: AgreementSettings,
  who: 'neighbours' | 'kernel' | 'nobody',
): readonly Imagined[] {
  const limit = silenceLimit(state, peer, settings);
  const answered = who === 'nobody' ? 0 : 2;
  const answers = answersOf(segmentsOf(settings), who === 'kernel', answered);
  const silent = Object.keys(peer.paths).map((path) => [path, 'silent'] as const);
  return [
    { kind: 'allSilent', peer: name, lasted: microseconds(limit / 2) },
    { kind: 'probed', probe: state.works + 1, answers, asked: [] },
    { kind: 'paths', peer: name, states: Object.fromEntries(silent) },
    { kind: 'allSilent', peer: name, lasted: limit },
  ];
}

/** A segment, once with the peer cut off there and once with this node; a link. */
function pathGoes(
  ask: (goes: string, ...events: readonly Imagined[]) => Foresight,
  name: string,
  peer: Peer,
  { name: path, kind }: PathSettings,
): readonly Foresight[] {
  if (peer.paths[path]?.state !== 'living' || peer.said === undefined) return [];
  const goes: Imagined = { kind: 'paths', peer: name, states: { [path]: 'silent' } };
  if (kind === 'link') return [ask(`${path} to ${name}`, goes)];
  const found = (own: number, theirs: number): readonly Imagined[] => [
    goes,
    // Where the segment is in doubt this is the first probe of this machine.
    { kind: 'probed', probe: -1, answers: answersOf([path], false, own), asked: [] },
    told(name, peer, { [path]: reachOf(theirs) }),
    { kind: 'timer', timer: 'force' },
  ];
  return [
    ask(`${name} from ${path}`, ...found(2, 0)),
    ask(`this node from ${path}`, ...found(0, 2)),
  ];
}

function told(name: string, peer: Peer, reach: Readonly<Record<string, Reach>>): Imagined {
  const { said, session = '', sequence, lateness, hasRealTime } = peer;
  const says = said === undefined ? said : { ...said, reach };
  // Asked only of peers that have said something.
  return {
    ...{ kind: 'statement', peer: name, path: '', session, sequence: sequence + 1 },
    ...{ lateness, hasRealTime, hasEnded: false, says },
  } as Imagined;
}

function answersOf(segments: readonly string[], peer: boolean, answered: number): Answers {
  return Object.fromEntries(segments.map((name) => [name, { peer, ...reachOf(answered) }]));
}

function reachOf(answered: number): Reach {
  return { answered, hasCarrier: true, hasTargets: true };
}

function imagine(
  state: AgreementState,
  events: readonly Imagined[],
  from: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  let step: AgreementStep = { state, actions: [] };
  let at = from;
  for (const event of events) {
    at = addTime(at, milliseconds(1));
    const probe = step.state.works;
    // What was imagined is an event with its time; a probe is the last that was asked for.
    const whole = { ...event, ...(event.kind === 'probed' ? { probe } : {}), at } as AgreementEvent;
    const { state: next, actions } = agreementStep(step.state, whole, settings);
    step = { state: next, actions: [...step.actions, ...actions] };
  }
  return step;
}

function outcome({ state, actions }: AgreementStep, settings: AgreementSettings): string {
  const done = actions.flatMap((action) => sentence(action, settings));
  const raised = actions.flatMap((action) => (action.kind === 'raiseProblem' ? [action.code] : []));
  const claims = state.doubt?.stage === 'claiming' ? ['this node takes the role after 1 s'] : [];
  const happens = [...done, ...claims].join(', then ');
  const named = raised.length === 0 ? '' : `; named ${raised.join(', ')}`;
  const stays = raised.includes('no-master') ? 'nobody serves' : 'the role stays';
  return `${happens === '' ? stays : happens}${named}`;
}

type Sentences = {
  readonly [Kind in AgreementAction['kind']]?: (
    action: Extract<AgreementAction, { kind: Kind }>,
    settings: AgreementSettings,
  ) => string | undefined;
};

/** What is worth a word; the other actions serve these. */
const sentences: Sentences = {
  take: () => 'this node takes the role',
  giveWay: ({ because }) => `this node gives the role away: ${because}`,
  stayMaster: () => 'this node stays MASTER without it',
  handOver: () => 'this node hands the role over',
  askArbiter: () => 'the arbiter is asked for the role',
  startTimer: ({ timer }) => (timer === 'turn' ? 'better candidates come first' : undefined),
  history: ({ account }, { masterDown }) =>
    account.because.includes("VRRP's time")
      ? `VRRP's time counts, ${toMilliseconds(masterDown)} ms`
      : undefined,
};

function sentence(action: AgreementAction, settings: AgreementSettings): readonly string[] {
  // The table's type pairs each kind with its action.
  const say = sentences[action.kind] as
    ((action: AgreementAction, settings: AgreementSettings) => string | undefined) | undefined;
  const said = say?.(action, settings);
  return said === undefined ? [] : [said];
}
