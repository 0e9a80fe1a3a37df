/** The targets of `status`: what this node and its peer reach, side by side. Pure. */
import type {
  TargetAddressStatus,
  TargetsStatus,
  TargetStateName,
} from '../control/statusAnswer.js';
import { age, table, type Look } from './terminal.js';

const words: Readonly<Record<TargetStateName, string>> = {
  good: 'answers',
  bad: 'LOST',
  unknown: 'not known yet',
  unable: 'cannot be asked',
  blind: 'flooded',
};

/** `now`: milliseconds since 1970. */
export function targetsText(targets: TargetsStatus, now: number, look: Look): string {
  const rows = targets.list.flatMap(({ name, addresses, peer }) =>
    addresses.map((own, i) => {
      const other = peer?.addresses.find(({ address }) => address === own.address);
      return [
        i === 0 ? name : '',
        own.address,
        ...[words[own.state], age(own.since, now), timesText(own), `${own.lossPercent} %`],
        ...(other === undefined
          ? [peer === undefined ? 'not told' : words[peer.state], '', '', '']
          : [
              ...[words[other.state], age(other.since, now), timesText(other)],
              `${other.lossPercent} %`,
            ]),
      ];
    }),
  );
  const half = ['SINCE', 'RTT ms (median, worst)', 'LOSS'];
  const head = ['TARGET', 'ASKED', 'HERE', ...half, 'PEER', ...half];
  const notes = targets.list
    .filter(({ standing }) => standing !== 'reached')
    .map(({ text, counts }) => `${text}${counts ? ': it counts' : ''}`);
  const reasons = targets.list.flatMap(({ name, addresses }) =>
    addresses.flatMap(({ address, because }) =>
      because === undefined ? [] : [`target ${name}, ${address}: ${because}`],
    ),
  );
  const lines = [...notes, ...reasons].map((line) => `  ${line}`);
  return [table([head, ...rows], look), ...lines, socketText(targets)].join('\n');
}

function timesText({ rtt }: TargetAddressStatus): string {
  if (rtt === undefined) return '-';
  const { last, median, worst } = rtt;
  return `${last.toFixed(1)} (${median.toFixed(1)}, ${worst.toFixed(1)})`;
}

function socketText({ icmpSocket, junk, duplicates, late, floods }: TargetsStatus): string {
  const counted = `${junk} strange, ${duplicates} double, ${late} late answers, ${floods} floods`;
  return `  ICMP by ${icmpSocket}: ${counted}`;
}
