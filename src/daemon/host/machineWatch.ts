/**
 * Asks, at the start and each minute, what only `doctor` asked: kernel settings that keep flows
 * from being replicated, a keepalived or conntrackd that appears later, and their units that are
 * enabled. `status` shows it.
 */
import { readFileSync } from 'node:fs';
import { formatIp } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import { systemTurns } from '../../base/systemClock.js';
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { MachineFinding } from '../../config/machine/finding.js';
import { incumbentNames, incumbents, type Incumbents } from '../../config/machine/incumbents.js';
import {
  connectionTracking,
  forwarding,
  reversePath,
  sysctlNames,
} from '../../config/machine/takeoverSysctls.js';
import type { IncumbentName, NodeSettings } from '../../config/nodeSettings.js';
import type { Problem } from '../../control/statusAnswer.js';
import { enabledUnits, isAwayFromUnits } from './incumbentUnits.js';
import { NatWatch } from './natWatch.js';
import { appearedHere } from './otherDaemons.js';
import { isProblemCode, problem } from '../problemTable/table.js';
import { movingAddresses } from '../../vrrp/addresses/interfaceAddresses.js';

/** The second look comes when the ruleset was read for the first time, too. */
const secondLook = seconds(10);
const period = seconds(60);

/** What is asked of the machine. */
export interface MachineLook {
  sysctl(name: string): number | undefined;
  enabled(names: readonly IncumbentName[]): Incumbents['enabled'];
  running(names: readonly IncumbentName[]): Promise<Incumbents['running']>;
}

export const systemLook: MachineLook = {
  // Ten small reads: what they answer depends on the thread's namespace, so no other thread may do
  // them.
  sysctl: (name) => {
    try {
      const text = readFileSync(`/proc/sys/${name}`, 'utf8').trim();
      return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
    } catch {
      return undefined;
    }
  },
  enabled: (names) => (isAwayFromUnits() ? [] : enabledUnits(names)),
  running: (names) => appearedHere(names, systemTurns),
};

/** As natWatch.ts does it. */
export interface RulesWatch {
  readonly problems: readonly Problem[];
  /** The ruleset forwards or translates, so that forwarding and tcp_loose matter. */
  readonly isRouter: boolean;
  isTranslated(address: string): boolean;
  start(): void;
  close(): void;
}

export interface MachineWatchPorts {
  readonly timers: Timers;
  readonly logger: Logger;
  readonly settings: () => NodeSettings;
  /** What is known of the ruleset; without replication nobody looks at it. */
  readonly rules: RulesWatch | undefined;
  readonly look?: MachineLook;
}

export class MachineWatch {
  readonly #ports: MachineWatchPorts;
  readonly #look: MachineLook;
  #problems: readonly Problem[] = [];
  #running: Incumbents['running'] = [];
  #sysctls: Readonly<Record<string, number | undefined>> = {};
  #enabled: Incumbents['enabled'] = [];
  #timer: ArmedTimer | undefined;
  #looks = 0;
  #isClosed = false;

  constructor(ports: MachineWatchPorts) {
    this.#ports = ports;
    this.#look = ports.look ?? systemLook;
  }

  get problems(): readonly Problem[] {
    return [...(this.#ports.rules?.problems ?? []), ...this.#problems];
  }

  /** NAT rules name the address. */
  isTranslated(address: string): boolean {
    return this.#ports.rules?.isTranslated(address) ?? false;
  }

  start(): void {
    this.#ports.rules?.start();
    this.#ask();
  }

  /** The settings may have changed: does not wait for the next minute. */
  again(): void {
    // Without a timer the answer to a question is on its way.
    if (this.#timer === undefined || this.#isClosed) return;
    this.#timer.cancel();
    this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#ports.rules?.close();
    this.#timer?.cancel();
  }

  #ask(): void {
    this.#timer = undefined;
    const settings = this.#ports.settings();
    const names = incumbentNames(settings);
    const keys = sysctlNames(settings);
    this.#sysctls = Object.fromEntries(keys.map((key) => [key, this.#look.sysctl(key)]));
    this.#enabled = this.#look.enabled(names);
    this.#judge();
    this.#look
      .running(names)
      .then(
        (running) => {
          this.#running = running;
        },
        // Without descriptors or memory nothing new is known; the next time it may be.
        () => undefined,
      )
      .finally(() => {
        if (this.#isClosed) return;
        this.#judge();
        const wait = this.#looks++ === 0 ? secondLook : period;
        this.#timer = this.#ports.timers.after(wait, () => this.#ask());
      })
      .catch(() => undefined);
  }

  #judge(): void {
    const { settings, rules, logger } = this.#ports;
    const keyOf = ({ code, subject }: Problem): string => `${code} ${subject ?? ''}`;
    const before = new Set(this.#problems.map(keyOf));
    this.#problems = machineFindings(
      settings(),
      { sysctls: this.#sysctls, running: this.#running, enabled: this.#enabled },
      rules?.isRouter ?? false,
    ).flatMap(toProblem);
    for (const one of this.#problems) {
      const { severity, code, text, remedy } = one;
      if (!before.has(keyOf(one))) logger.log(severity, text, { code, remedy });
    }
  }
}

/** Of the real machine; the ruleset is looked at where flows are replicated. */
export function watchMachine(
  { timers, logger }: Pick<MachineWatchPorts, 'timers' | 'logger'>,
  settings: () => NodeSettings,
): MachineWatch {
  const moving = (): ReadonlySet<string> =>
    new Set(movingAddresses(settings().vrrp).map(({ address }) => formatIp(address)));
  const rules = settings().sync === undefined ? undefined : new NatWatch(timers, moving);
  return new MachineWatch({ timers, logger, settings, rules });
}

/** What a running daemon says of it. Pure. */
export function machineFindings(
  settings: NodeSettings,
  seen: Incumbents & { readonly sysctls: Readonly<Record<string, number | undefined>> },
  isRouter: boolean,
): readonly MachineFinding[] {
  const { sysctls } = seen;
  const flows = connectionTracking(settings, sysctls, sysctls['net/netfilter/nf_conntrack_count']);
  const ways = [...forwarding(settings, sysctls), ...reversePath(settings, sysctls)];
  return [
    ...incumbents(settings, seen),
    // A host that neither forwards nor translates loses nothing by them.
    ...(isRouter ? ways : []),
    ...flows.filter(({ code }) => code !== 'tcp-loose' || isRouter),
  ];
}

function toProblem({ code, text, ...detail }: MachineFinding): Problem[] {
  return isProblemCode(code) ? [problem(code, text, detail)] : [];
}
