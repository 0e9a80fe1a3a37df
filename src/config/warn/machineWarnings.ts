/** Facts of this machine: always warnings, because a file may be checked elsewhere. */
import type { MachineUse } from '../build/context.js';
import type { MachineFacts } from '../loadPorts.js';
import type { RootValues } from '../keywords/rootRows.js';
import { last } from '../table/row.js';
import type { ProblemList } from '../problem.js';
import type { WarningInputs } from './warningInputs.js';

export function warnAboutMachine({ uses, root, ports, problems, settings }: WarningInputs): void {
  const { machine } = ports;
  if (machine === undefined) return;
  warnAboutClock(root, machine, problems);
  // The interfaces of another network namespace cannot be seen from here.
  const isElsewhere = settings.netNamespace !== undefined;
  const seen = new Set<string>();
  for (const use of uses) {
    const key = `${use.kind} ${use.name} ${use.at.file}:${use.at.line}`;
    if (seen.has(key) || (isElsewhere && use.kind === 'interface')) continue;
    seen.add(key);
    warnAboutUse(use, machine, problems);
    if (settings.sync !== undefined) warnAboutSyncScript(use, machine, problems);
  }
}

/** Nodes whose clocks drift apart refuse each other: two masters. */
function warnAboutClock(root: RootValues, machine: MachineFacts, problems: ProblemList): void {
  const timed = root.vrrp_instance
    .flatMap(({ value }) => value.values.auth_hmac)
    .filter(({ value }) => last(value.values.anti_replay)?.value !== 'monotonic');
  const [first] = timed;
  if (first === undefined || machine.hasTimeService?.() !== false) return;
  const message = "'anti_replay time' compares clocks, and nothing keeps the clock of this machine";
  problems.warning(first.at, 'no-time-service', message, {
    expected: 'anti_replay monotonic, or a time service (chrony, systemd-timesyncd)',
  });
}

function warnAboutUse(use: MachineUse, machine: MachineFacts, problems: ProblemList): void {
  const { kind, name, at } = use;
  switch (kind) {
    case 'interface':
      if (machine.interfaceExists(name) !== false) return;
      problems.warning(at, 'missing-interface', `this machine has no interface '${name}'`);
      return;
    case 'user':
      if (machine.userExists(name) !== false) return;
      problems.warning(at, 'missing-user', `this machine has no user '${name}'`);
      return;
    case 'script':
      warnAboutProgram(use, machine, problems);
  }
}

/** conntrackd's commands in a script of another name: keepstate does that work itself, in order. */
const conntrackdWords = /\bconntrackd\b|\bprimary-backup\.sh\b/;

function warnAboutSyncScript(
  { kind, name, at, isNotify }: MachineUse,
  machine: MachineFacts,
  problems: ProblemList,
): void {
  if (kind !== 'script' || isNotify !== true) return;
  if (!conntrackdWords.test(machine.scriptText?.(name) ?? '')) return;
  const base = name.slice(name.lastIndexOf('/') + 1);
  const message = `the script '${name}' calls conntrackd: keepstate commits and flushes by itself`;
  problems.warning(at, 'script-calls-conntrackd', message, {
    expected: `conntrack_sync_script ${base} in global_defs where it does nothing else; otherwise take those lines out of it`,
  });
}

function warnAboutProgram(
  { name, at }: MachineUse,
  machine: MachineFacts,
  problems: ProblemList,
): void {
  const found = machine.program(name);
  if (found === 'missing') {
    problems.warning(at, 'missing-script', `the script '${name}' does not exist on this machine`);
  } else if (found === 'not-executable') {
    problems.warning(at, 'not-executable', `the script '${name}' is not executable`, {
      expected: `chmod +x ${name}`,
    });
  }
}
