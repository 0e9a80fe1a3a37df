/**
 * What VRRP must have shown before the peer channel is believed, because nobody has sealed what
 * comes over it: a stranger on the sync network can say everything there. `offer`, `resigned` and
 * `yielded` come from a peer that the configuration names, or whose adverts this node hears;
 * `resigned` counts beside priority 0 of the MASTER, in either order; `yielded` beside an advert of
 * another MASTER, or after a crash from which this MASTER resumed, and once a minute.
 */
import { milliseconds, seconds, subtractTime, type Microseconds } from '../base/time.js';
import type { RolePicture } from '../vrrp/status/rolePicture.js';
import {
  extend,
  logLine,
  startTimer,
  stopTimer,
  type CoordinatorEvent,
  type CoordinatorState,
  type Evidence,
  type Step,
} from './vocabulary.js';

type EventOf<Kind extends CoordinatorEvent['kind']> = Extract<CoordinatorEvent, { kind: Kind }>;

/** Between the peer's word and priority 0 of the MASTER, whichever comes first. */
export const resignationWindow = seconds(1);
/** An advert of a peer that came and went before it was MASTER to the end. */
const slack = seconds(10);
/** In which a MASTER that resumed is heard by whoever took the role meanwhile. */
const resumptionTime = seconds(10);
const yieldPause = seconds(60);
/** The peer repeats its story twice a second. */
const storyTime = seconds(3);
const mostAdvertisers = 8;
/** The stronger MASTER answers at once if it knows; longer than that it is told by VRRP too. */
const answerTime = milliseconds(500);
const testimonyPeriod = seconds(1);
const mostTestimonies = 60;

export function withEvidence(step: Step, change: Partial<Evidence>): Step {
  return extend(step, { evidence: { ...step.state.evidence, ...change } });
}

/** `from` is absent where the configuration names the sender. */
export function isKnownPeer({ evidence }: CoordinatorState, from: string | undefined): boolean {
  return from === undefined || evidence.advertisers.includes(from);
}

/** Why an unknown sender is refused, with the remedy. */
export function unknownPeer(from: string): string {
  return `${from} is not known there: this node hears no adverts from it; name it with sync_peer`;
}

export function advertiser(step: Step, { address }: EventOf<'advertiser'>): Step {
  return withEvidence(step, { advertisers: withAdvertiser(step, address) });
}

function withAdvertiser({ state }: Step, address: string): readonly string[] {
  const { advertisers } = state.evidence;
  if (advertisers.at(-1) === address) return advertisers;
  const others = advertisers.filter((one) => one !== address);
  return [...others, address].slice(-mostAdvertisers);
}

/** An advert of another MASTER, heard by this one. */
export function rivalSeen(step: Step, { at, address }: EventOf<'otherMasterSeen'>): Step {
  return withEvidence(step, {
    rivalSeen: at,
    ...(address === undefined ? {} : { advertisers: withAdvertiser(step, address) }),
  });
}

/** What the peer has just said of this, before VRRP showed it. */
export function unprovenStory(
  { evidence: { unproven } }: CoordinatorState,
  now: Microseconds,
): string | undefined {
  if (unproven === undefined || subtractTime(now, unproven.at) > storyTime) return undefined;
  return unproven.because;
}

/** Whether some member's MASTER said priority 0 within the last second. */
export function hasResigned(roles: RolePicture, unit: string, now: Microseconds): boolean {
  return roles.instances.some(
    ({ unit: name, master }) =>
      name === unit &&
      master?.priority === 0 &&
      subtractTime(now, master.lastHeard) <= resignationWindow,
  );
}

export function isGranted({ evidence: { granted } }: CoordinatorState, now: Microseconds): boolean {
  return granted !== undefined && subtractTime(now, granted) <= resignationWindow;
}

/** Whether the peer can have been MASTER from `start` until it gave way. */
export function isYieldProven({ evidence }: CoordinatorState, start: number, end: number): boolean {
  const { rivalSeen, resumed } = evidence;
  if (rivalSeen !== undefined && rivalSeen >= start - slack) return true;
  return resumed !== undefined && resumed <= end && end - resumed <= resumptionTime;
}

export function mayMergeAgain(
  { evidence: { yieldMerged } }: CoordinatorState,
  now: Microseconds,
): boolean {
  return yieldMerged === undefined || subtractTime(now, yieldMerged) >= yieldPause;
}

/**
 * What was shown of another role counts no more; a MASTER that gave way to a stronger one may have
 * to say so.
 */
export function evidenceOfRole(step: Step, event: EventOf<'roleChanged'>): Step {
  const { worker } = step.state;
  const isResumed = event.to === 'MASTER' && event.isResumed;
  const next = withEvidence(step, {
    rivalSeen: undefined,
    resumed: isResumed ? event.at : undefined,
    granted: undefined,
    unproven: undefined,
  });
  const isYield = event.to === 'BACKUP' && event.yieldedTo !== undefined;
  if (!isYield || worker !== 'running') {
    return step.state.testimonies === 0 ? next : endTestimony(next);
  }
  return extend(next, { testimonies: mostTestimonies }, startTimer('testimony', answerTime));
}

/**
 * The stronger MASTER need not have heard an advert of this one, which stepped down in silence (RFC
 * 3768 section 6.4.3), and would not believe the peer channel alone: it gets one, and answers it as
 * any MASTER does.
 */
export function testify(step: Step): Step {
  const { testimonies, role, peer } = step.state;
  if (testimonies === 0 || role === 'MASTER') return extend(step, { testimonies: 0 });
  // Behind a split of the sync link too the peer is greeted a moment later; others need no advert.
  const isGreeted = peer.kind === 'keepstate';
  if (!isGreeted && testimonies === 1) return endTestimony(step);
  if (!isGreeted) {
    const waited = extend(step, { testimonies: testimonies - 1 });
    return extend(waited, {}, startTimer('testimony', testimonyPeriod));
  }
  return extend(
    step,
    { testimonies: testimonies - 1 },
    { kind: 'testify' },
    ...(testimonies === mostTestimonies
      ? [logLine('info', 'the stronger MASTER is shown that this node was MASTER too')]
      : []),
    startTimer('testimony', testimonyPeriod),
  );
}

export function endTestimony(step: Step): Step {
  return extend(step, { testimonies: 0 }, stopTimer('testimony'));
}
