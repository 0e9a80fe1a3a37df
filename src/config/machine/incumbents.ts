/**
 * keepalived and conntrackd beside keepstate: running, or to be started by systemd one day. Pure.
 */
import type { IncumbentName, NodeSettings } from '../nodeSettings.js';
import { machineError, machineWarning, type MachineFinding } from './finding.js';

export interface Incumbents {
  /** Those that do the same work in the daemon's network namespace. */
  readonly running: readonly { readonly name: IncumbentName; readonly pid: number }[];
  /** Units that systemd starts in that namespace, with the link that says so. */
  readonly enabled: readonly {
    readonly name: IncumbentName;
    readonly unit: string;
    readonly link: string;
  }[];
}

/** Names of the programs whose work these settings make keepstate do. */
export function incumbentNames({ vrrp, sync }: NodeSettings): readonly IncumbentName[] {
  return [
    ...(vrrp.instances.length > 0 ? (['keepalived'] as const) : []),
    ...(sync === undefined ? [] : (['conntrackd'] as const)),
  ];
}

export function incumbents(settings: NodeSettings, found: Incumbents): MachineFinding[] {
  const names = incumbentNames(settings);
  const running = found.running.filter(({ name }) => names.includes(name));
  const enabled = found.enabled.filter(({ name }) => names.includes(name));
  return [
    ...running.map(({ name, pid }) =>
      machineError(
        'incumbent-running',
        `${name} (process ${pid}) runs in this network namespace and does the same work`,
        `systemctl disable --now ${name}`,
        name,
      ),
    ),
    ...enabled.map(({ name, unit, link }) =>
      machineWarning(
        'incumbent-enabled',
        `${unit} is enabled (${link}): the next boot, package upgrade or log rotation may start it beside keepstate`,
        `systemctl disable --now ${name}`,
        unit,
      ),
    ),
  ];
}
