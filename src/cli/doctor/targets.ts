/** Each `vrrp_track_target` is asked once, as the daemon would ask it. */
import { milliseconds, seconds, type Microseconds, type Timers } from '../../base/time.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { ProberFactory } from '../../net/ports.js';
import { addressText, specOf } from '../../vrrp/reach/probeSpec.js';
import { judgeRefusal } from '../../vrrp/reach/refusals.js';
import type { Finding } from './doctorFinding.js';

type Target = NonNullable<NodeSettings['vrrp']['targets']>[number];

/** A neighbour has to be found first: longer than the usual timeout. */
const leastWait = seconds(1);

export interface AskingPorts {
  readonly probers: ProberFactory;
  readonly timers: Timers;
}

/** In the order of the configuration; empty where all answer. */
export async function askTargets(
  targets: readonly Target[],
  ports: AskingPorts,
): Promise<readonly Finding[]> {
  const asked = targets.flatMap((target) =>
    target.addresses.map((address) => askOnce(target, address, ports)),
  );
  const found = (await Promise.all(asked)).filter((finding) => finding !== undefined);
  const hasIcmp = targets.some(({ addresses }) => addresses.some(({ kind }) => kind === 'icmp'));
  return hasIcmp ? [...socketFinding(ports.probers), ...found] : found;
}

function socketFinding({ icmpSocket }: ProberFactory): readonly Finding[] {
  if (icmpSocket === 'raw-socket') return [];
  return [
    {
      severity: 'warning',
      code: 'target-socket',
      text: `targets are asked by the ${icmpSocket}: the package raw-socket is not installed or not built`,
      remedy: 'nothing is needed: both do the same; npm install raw-socket where it is wanted',
    },
  ];
}

function askOnce(
  target: Target,
  address: Target['addresses'][number],
  { probers, timers }: AskingPorts,
): Promise<Finding | undefined> {
  const name = `target ${target.name}, ${addressText(address)}`;
  return new Promise((resolve) => {
    const decide = (finding: Finding | undefined): void => {
      wait.cancel();
      prober.close();
      resolve(finding);
    };
    const refused = (errno: number): void => {
      const refusal = judgeRefusal(errno, target.interfaceName);
      if (refusal.kind === 'lost') decide(lost(name));
      else decide(unable(name, refusal.why));
    };
    const wait = timers.after(longest(target.timeout), () => decide(lost(name)));
    const prober = probers.open(specOf(target, address), {
      answered: () => decide(undefined),
      failed: (_probe, errno) => refused(errno),
    });
    const outcome = prober.send(1);
    if (outcome.kind === 'refused') refused(outcome.errno);
  });
}

function longest(timeout: Microseconds): Microseconds {
  return milliseconds(Math.max(timeout, leastWait) / 1_000);
}

function lost(name: string): Finding {
  return {
    severity: 'warning',
    code: 'target-lost',
    text: `${name} does not answer`,
    remedy: 'look for the fault on the way to it, or track an address that answers',
  };
}

function unable(name: string, why: string): Finding {
  return {
    severity: 'warning',
    code: 'target-unable',
    text: `${name} cannot be asked: ${why}`,
    remedy: 'a BACKUP must be able to ask too: give it the interface, address, route or rule',
  };
}
