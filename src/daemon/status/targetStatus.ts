/** Targets as `status` shows them, and what is wrong with them. Pure. */
import { isoTime } from '../../base/isoTime.js';
import { microseconds, toMilliseconds, type Microseconds } from '../../base/time.js';
import type {
  TargetAddressStatus,
  TargetsStatus,
  TargetStatus,
} from '../../control/statusAnswer.js';
import type { ProbeCounters } from '../../net/ports.js';
import type { AddressFigures } from '../../vrrp/reach/reachWords.js';
import { standingText } from '../../vrrp/reach/standings.js';
import type { TrackedTarget } from '../../vrrp/reach/trackedTarget.js';
import { problem, type Finding } from '../problemTable/table.js';

type Standing = Parameters<typeof standingText>[1];

/** What is shown of the targets of a node. */
export interface ShownTargets {
  readonly targets: readonly Pick<
    TrackedTarget,
    'comparison' | 'figures' | 'peerWord' | 'settings'
  >[];
  readonly icmpSocket: string;
  readonly counters: ProbeCounters;
}

/** undefined where no target is tracked. */
export function targetsStatus(
  shown: ShownTargets | undefined,
  now: Microseconds,
  wallClock: Microseconds,
): TargetsStatus | undefined {
  if (shown === undefined || shown.targets.length === 0) return undefined;
  const addresses = (
    figures: readonly (AddressFigures & { readonly refusal?: string })[],
  ): TargetAddressStatus[] => figures.map((one) => addressStatus(one, wallClock));
  const list = shown.targets.map((target) => {
    const { comparison, peerWord } = target;
    const { name } = target.settings;
    return {
      name,
      standing: comparison.standing,
      text: standingText(name, comparison.standing),
      counts: comparison.counts,
      addresses: addresses(target.figures(now)),
      ...(peerWord === undefined
        ? {}
        : { peer: { state: peerWord.state, addresses: addresses(peerWord.addresses) } }),
    };
  });
  return { icmpSocket: shown.icmpSocket, ...shown.counters, list };
}

function addressStatus(
  figures: AddressFigures & { readonly refusal?: string },
  wallClock: Microseconds,
): TargetAddressStatus {
  const { address, state, age, roundTrip, answered, lost, refusal } = figures;
  const probes = answered + lost;
  return {
    address,
    state,
    since: isoTime(microseconds(wallClock - age)),
    ...(roundTrip === undefined
      ? {}
      : {
          rtt: {
            last: toMilliseconds(roundTrip.last),
            median: toMilliseconds(roundTrip.median),
            worst: toMilliseconds(roundTrip.worst),
          },
        }),
    answered,
    lost,
    lossPercent: probes === 0 ? 0 : Math.round((100 * lost) / probes),
    ...(refusal === undefined ? {} : { because: refusal }),
  };
}

export function targetProblems(status: TargetsStatus | undefined): readonly Finding[] {
  return (status?.list ?? []).flatMap((target) => {
    const code = codeOf(target);
    if (code === undefined) return [];
    const why = target.addresses.map(({ because }) => because).find((one) => one !== undefined);
    const text = why === undefined ? target.text : `${target.text}: ${why}`;
    return [problem(code, text, { subject: target.name })];
  });
}

/** What is wrong where a target stands so; undefined: nothing. */
const codes: Readonly<Record<Standing, Parameters<typeof problem>[0] | undefined>> = {
  reached: undefined,
  held: undefined,
  unknown: undefined,
  unable: 'target-unable',
  'lost-by-both': 'target-lost-by-both',
  'peer-unable': 'target-peer-unable',
  lost: 'target-lost',
  'lost-here-only': 'target-lost',
  'peer-not-heard-yet': 'target-lost',
  'peer-silent': 'target-peer-silent',
  'peer-cannot-serve': 'target-lost',
};

function codeOf({ standing, addresses }: TargetStatus): Parameters<typeof problem>[0] | undefined {
  if (addresses.some(({ state }) => state === 'blind')) return 'target-blind';
  // Written above from a Standing.
  return codes[standing as Standing];
}
