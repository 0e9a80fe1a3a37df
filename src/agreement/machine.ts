/**
 * The agreement of two nodes on one unit, pure as the other machines: who is MASTER while any path
 * between them lives, and when a silence means that a node is gone. Handlers note what happened;
 * what follows from the state is settled after each event, rule by rule. Nothing here reads a clock
 * or touches a socket.
 */
import type { Microseconds } from '../base/time.js';
import { takeWanted } from './admission.js';
import { extend, type AgreementStep } from './agreementActions.js';
import type { AgreementEvent } from './agreementEvents.js';
import type { AgreementState, AgreementTimer } from './agreementState.js';
import { arbiterAnswered, leaseChanged, leaseGrew, leaseIsSafe, settleLease } from './arbiter.js';
import { forgiven, moveHoldOver, segmentsRose } from './damping.js';
import { faultImminent, lastResortIsDue, serveForFaulty } from './memberFault.js';
import { factsChanged, maintenance, roleChanged } from './ownFacts.js';
import { lossMeasured, pathsChanged, statementHeard } from './peers.js';
import { settleProblems, watchRise } from './problems.js';
import {
  agreementFailed,
  askAgain,
  forceMove,
  reviseDoubt,
  segmentsProbed,
  takeFromYielded,
} from './segmentDoubt.js';
import type { AgreementSettings } from './settings.js';
import { allSilent, judgeSilence, silenceProbed, watchPeers } from './silence.js';
import {
  listened,
  loopHadItsTime,
  ownLoopStoodStill,
  pathsRead,
  peerLoopStandsStill,
} from './standstill.js';
import { turnCame, withdrawTaking } from './taking.js';
import { strangerHeard } from './thirdRouters.js';
import { settleMasters } from './twoMasters.js';
import { statementOf } from './views.js';

type Handlers = {
  readonly [Kind in AgreementEvent['kind']]: (
    step: AgreementStep,
    event: Extract<AgreementEvent, { kind: Kind }>,
    settings: AgreementSettings,
  ) => AgreementStep;
};

const handlers: Handlers = {
  paths: pathsChanged,
  loss: lossMeasured,
  allSilent,
  statement: statementHeard,
  peerLoopStandsStill,
  ownLoopStoodStill,
  pathsRead,
  strangerHeard,
  role: roleChanged,
  facts: factsChanged,
  faultImminent,
  takeWanted,
  maintenance,
  probed: (step, event) => segmentsProbed(silenceProbed(step, event), event),
  arbiterAnswer: arbiterAnswered,
  lease: leaseChanged,
  timer: (step, event, settings) => timers[event.timer](step, event, settings),
};

const timers: Readonly<Record<AgreementTimer, Handlers['timer']>> = {
  turn: turnCame,
  force: forceMove,
  deadline: agreementFailed,
  again: askAgain,
  listen: listened,
  moveHold: moveHoldOver,
  rise: segmentsRose,
  forgive: forgiven,
  loop: loopHadItsTime,
  lastResort: lastResortIsDue,
  lease: leaseIsSafe,
  leaseGrace: leaseGrew,
  // What is settled after each event follows.
  damped: (step) => step,
  succession: (step) => extend(step, { predecessor: undefined }),
};

/** One step. Actions are to be carried out in order. */
export function agreementStep(
  state: AgreementState,
  event: AgreementEvent,
  settings: AgreementSettings,
): AgreementStep {
  // The table's type pairs each kind with its event; TypeScript cannot follow the pairing through
  // the index.
  const handle = handlers[event.kind] as (
    step: AgreementStep,
    event: AgreementEvent,
    settings: AgreementSettings,
  ) => AgreementStep;
  return settle(state, handle({ state, actions: [] }, event, settings), event.at, settings);
}

/** What follows from the state, in the order of the rules that come first. */
function settle(
  before: AgreementState,
  handled: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  let step = settleMasters(handled, at, settings);
  step = withdrawTaking(step, at, settings);
  step = judgeSilence(step, at, settings);
  step = takeFromYielded(step, settings);
  step = serveForFaulty(step, at, settings);
  step = reviseDoubt(step, at, settings);
  step = settleLease(step, at, settings);
  step = settleProblems(step, at, settings);
  step = watchPeers(watchRise(before, step, settings), settings);
  return announce(before, step, settings);
}

/** A statement is a state: it goes out with each beat, and is handed over when it changes. */
function announce(
  before: AgreementState,
  step: AgreementStep,
  settings: AgreementSettings,
): AgreementStep {
  const statement = statementOf(step.state, settings);
  if (JSON.stringify(statementOf(before, settings)) === JSON.stringify(statement)) return step;
  return extend(step, {}, { kind: 'announce', statement });
}
