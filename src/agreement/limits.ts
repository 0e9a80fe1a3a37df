/** How long a peer must be silent before that means anything (rule 1), and what doubles it. */
import { microseconds, milliseconds, type Microseconds } from '../base/time.js';
import type { AgreementState, Peer } from './agreementState.js';
import type { AgreementSettings } from './settings.js';

const limitWithRealTime = milliseconds(100);
const limitWithout = milliseconds(300);
/** At least so many beats. */
const leastBeats = 3;
/** Times the lateness that the peer reported. */
const latenessFactor = 4;
/** That all beats of a silence were lost by chance is less likely than 10 to minus this. */
const certainty = 10;

/** The limit in force: VRRP's own time where there is one path only, and never more than that. */
export function silenceLimit(
  state: AgreementState,
  peer: Peer,
  settings: AgreementSettings,
): Microseconds {
  const { masterDown, paths } = settings;
  if (paths.length < 2) return masterDown;
  const { hasRealTime, peerSilence, beatInterval } = settings;
  const usual = hasRealTime && peer.hasRealTime ? limitWithRealTime : limitWithout;
  const least = Math.max(
    peerSilence ?? usual,
    beatInterval * Math.max(leastBeats, beatsAgainstLoss(peer)),
    peer.lateness * latenessFactor,
  );
  return microseconds(Math.min(masterDown, least * state.doubling));
}

/**
 * Paths may share what loses their beats, so only the best one counts. A path that loses all is no
 * path, and one that loses none needs one beat.
 */
function beatsAgainstLoss({ paths }: Peer): number {
  const losses = Object.values(paths)
    .filter(({ state }) => state === 'living')
    .map(({ loss }) => loss);
  const least = Math.min(1, ...losses);
  if (least <= 0 || losses.length === 0) return 1;
  return least >= 1 ? Number.MAX_SAFE_INTEGER : Math.ceil(certainty / -Math.log10(least));
}
