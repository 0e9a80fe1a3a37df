/** What is known of each peer: its paths, and the newest of its statements. */
import { extend, patchPeer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import { unknownPeer, type Peer, type PeerPath } from './agreementState.js';
import { countMove } from './damping.js';
import type { AgreementSettings } from './settings.js';
import { livesAgain } from './silence.js';
import { isBelieved } from './trust.js';

/** Sessions of a peer that are remembered as over. */
const sessionsKept = 4;

const unheard: PeerPath = { state: 'unknown', loss: 0 };

/** Only a path that was living can become silent. */
export function pathsChanged(
  step: AgreementStep,
  { peer: name, states }: EventOf<'paths'>,
  settings: AgreementSettings,
): AgreementStep {
  const changed = changePaths(step, name, states, settings, (before, state) => {
    const isNoSilence = state === 'silent' && before.state === 'unknown';
    return isNoSilence ? before : { ...before, state };
  });
  return Object.values(states).includes('living') ? livesAgain(changed, name, settings) : changed;
}

export function lossMeasured(
  step: AgreementStep,
  { peer, shares }: EventOf<'loss'>,
  settings: AgreementSettings,
): AgreementStep {
  return changePaths(step, peer, shares, settings, (before, loss) => ({ ...before, loss }));
}

/** Paths that are not configured are none. */
function changePaths<Value>(
  step: AgreementStep,
  name: string,
  news: Readonly<Record<string, Value>>,
  settings: AgreementSettings,
  change: (before: PeerPath, value: Value) => PeerPath,
): AgreementStep {
  const known = withPeer(step, name);
  const { paths } = known.state.peers[name] ?? unknownPeer;
  const changed = Object.entries(news)
    .filter(([path]) => settings.paths.some((configured) => configured.name === path))
    .map(([path, value]) => [path, change(paths[path] ?? unheard, value)] as const);
  return patchPeer(known, name, { paths: { ...paths, ...Object.fromEntries(changed) } });
}

/** Statements count by (session, sequence), never by arrival. */
export function statementHeard(
  step: AgreementStep,
  event: EventOf<'statement'>,
  settings: AgreementSettings,
): AgreementStep {
  const { at, peer: name, says, session, sequence } = event;
  const known = withPeer(step, name);
  const peer = known.state.peers[name] ?? unknownPeer;
  if (!isNews(peer, event) || !isBelieved(event, settings)) return known;
  const isNewMaster = says.role === 'MASTER' && says.held > (peer.said?.held ?? says.held);
  const ended = peer.session === session ? undefined : peer.session;
  const isOther = ended !== undefined;
  const over = isOther ? [...peer.over, ended].slice(-sessionsKept) : peer.over;
  const { lateness, hasRealTime, hasEnded } = event;
  const heard = patchPeer(known, name, {
    ...{ session, sequence, over, lateness, hasRealTime },
    standsSince: isOther ? undefined : peer.standsSince,
    said: hasEnded ? undefined : says,
    paths: hasEnded ? {} : peer.paths,
    fellSilent: hasEnded ? undefined : peer.fellSilent,
  });
  const counted = isNewMaster ? countMove(heard, at) : heard;
  const term = Math.max(counted.state.term, says.term);
  return livesAgain(extend(counted, { term }), name, settings);
}

function isNews({ session, sequence, over }: Peer, event: EventOf<'statement'>): boolean {
  if (event.session === session) return event.sequence > sequence;
  return !over.includes(event.session);
}

function withPeer(step: AgreementStep, name: string): AgreementStep {
  const { peers } = step.state;
  return name in peers ? step : extend(step, { peers: { ...peers, [name]: unknownPeer } });
}
