/** `keepstate doctor`. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { printableJson, printableValue } from '../base/printable.js';
import { systemClock, SystemTimers, systemTurns } from '../base/systemClock.js';
import { systemRandom } from '../base/systemRandom.js';
import { defaultConfig } from './defaultConfig.js';
import { incumbentNames } from '../config/machine/incumbents.js';
import { loadNode } from '../config/loadNode.js';
import { formatProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import { batchedMake } from '../net/probe/batchedCarrier.js';
import type { CarrierMake } from '../net/probe/carrier.js';
import { Probers } from '../net/probe/probers.js';
import { rawSocketMake } from '../net/probe/rawSocketCarrier.js';
import { enterNetworkNamespace } from '../net/socket/networkNamespace.js';
import { examine, namespaceUnknown } from './doctor/examine.js';
import { gatherFacts } from './doctor/facts.js';
import type { Finding } from './doctor/doctorFinding.js';
import { askTargets } from './doctor/targets.js';
import { teach } from './teach.js';
import { print } from './talk.js';
import { lookOf, paint, wrap, type Look } from './terminal.js';

interface DoctorOptions {
  readonly config: string;
  readonly json?: true;
}

export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('what would break a takeover on this machine, each with its remedy')
    .option('-f, --config <file>', 'configuration', defaultConfig)
    .option('--json', 'for programs')
    .action(async (options: DoctorOptions) => doctor(options));
  teach(
    command,
    {
      'Look at this machine, as root, before the daemon goes live': 'doctor',
      'For monitoring': "doctor --json | jq -r '.[].code'",
    },
    '0 nothing found, or warnings alone; 1 something would break a takeover, or it cannot be told whether something does; 2 the configuration is not accepted',
    'The daemon need not run. Looked at are sysctls, interfaces, capabilities, the conntrack table and the ruleset\n(nft, iptables-nft), of the network namespace that net_namespace names.',
  );
}

async function doctor({ config, json }: DoctorOptions): Promise<void> {
  const { settings, problems } = loadNode(config, systemLoadPorts());
  if (settings === undefined) {
    for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
    process.exitCode = 2;
    return;
  }
  const findings = await findingsOf(settings);
  process.exitCode = findings.some(({ severity }) => severity !== 'warning') ? 1 : 0;
  if (json === true) print(printableJson(findings, 2));
  else {
    const { netNamespace } = settings;
    if (netNamespace !== undefined && findings.every(({ code }) => code !== 'net-namespace')) {
      print(`in the network namespace ${netNamespace}, where the remedies belong too:`);
    }
    print(findingsText(findings, lookOf(process.stdout, process.env)));
  }
}

/** Of the namespace in which the daemon will be. */
async function findingsOf(settings: NodeSettings): Promise<readonly Finding[]> {
  const { netNamespace } = settings;
  if (netNamespace !== undefined) {
    const entered = enterNetworkNamespace(join('/run/netns', netNamespace));
    if (entered.kind === 'refused') return [namespaceUnknown(netNamespace, entered.message)];
  }
  const { appearedHere } = await import('../daemon/host/otherDaemons.js');
  const { enabledUnits, isAwayFromUnits } = await import('../daemon/host/incumbentUnits.js');
  const names = incumbentNames(settings);
  const found = {
    running: await appearedHere(names, systemTurns),
    enabled: isAwayFromUnits() ? [] : enabledUnits(names),
  };
  const targets = await targetFindings(settings);
  return [...examine(settings, gatherFacts(settings, found)), ...targets];
}

/** Asked once, by the sockets that the daemon would use. */
async function targetFindings({ vrrp }: NodeSettings): Promise<readonly Finding[]> {
  const { targets = [] } = vrrp;
  if (targets.length === 0) return [];
  const timers = new SystemTimers(systemClock);
  const make = (): CarrierMake => rawSocketMake() ?? batchedMake;
  const probers = new Probers({ clock: systemClock, timers, random: systemRandom, make });
  try {
    return await askTargets(targets, { probers, timers });
  } finally {
    probers.close();
  }
}

export function findingsText(findings: readonly Finding[], look: Look): string {
  if (findings.length === 0)
    return paint('nothing was found that would break a takeover', 'good', look);
  return printableValue(findings)
    .map(({ severity, text, remedy }) => {
      const label = paint(severity.padEnd(7), severity === 'warning' ? 'warning' : 'bad', look);
      return (
        `${label} ${wrap(text, look.columns - 8, 8)}\n` +
        `        remedy: ${wrap(remedy, look.columns - 16, 16)}`
      );
    })
    .join('\n');
}
