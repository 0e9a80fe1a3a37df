/** A whole VrrpRouter in virtual time, with every port faked. */
import type { UnitEvent } from '../../../src/vrrp/machine/events.js';
import { VrrpRouter } from '../../../src/vrrp/router.js';
import type { RouterObserver, RouterOptions } from '../../../src/vrrp/routerPorts.js';
import type { InstanceSettings, VrrpSettings } from '../../../src/vrrp/settings.js';
import { silentLogger } from '../../../src/base/logger.js';
import { microseconds } from '../../../src/base/time.js';
import { FakeNetwork } from './fakeNetwork.js';
import { FakeProcesses } from './fakeProcesses.js';
import { ManualTime } from '../base/manualTime.js';
import { ip } from './settings.js';

export function vrrpSettings(
  instances: readonly InstanceSettings[],
  overrides: Partial<VrrpSettings> = {},
): VrrpSettings {
  return {
    routerId: 'test',
    instances,
    groups: [],
    scripts: [],
    files: [],
    processes: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
    enableScriptSecurity: false,
    startupDelay: microseconds(0),
    fifoWriteStatesOnReload: false,
    logUnknownVrids: false,
    dynamicInterfaces: false,
    interfaceDelays: [],
    ...overrides,
  };
}

/** Writes each call as one line into `network.log`, between the kernel operations. */
export class RouterHarness {
  readonly time: ManualTime;
  readonly network = new FakeNetwork();
  readonly processes = new FakeProcesses();
  readonly files = new Map<string, string>();
  readonly rulesets: string[] = [];
  readonly sysctls = new Map<string, string>();
  readonly recorded: UnitEvent[] = [];
  readonly router: VrrpRouter;

  constructor(
    settings: VrrpSettings,
    options: Partial<RouterOptions> = {},
    time = new ManualTime(),
  ) {
    this.time = time;
    this.processes.endsWith = 0;
    this.network.addLink('eth0');
    this.network.give('eth0', ip('10.0.0.1'), 24);
    const { log } = this.network;
    const observer: RouterObserver = {
      transition: ({ instance, from, to }) => log.push(`${instance}: ${from} -> ${to}`),
      roleChanged: ({ unit, to, epoch, vipsWait }) =>
        log.push(`role ${unit} ${to} ${epoch}${vipsWait ? ' waits' : ''}`),
      preemptionWanted: ({ unit, epoch }) => log.push(`preemption wanted ${unit} ${epoch}`),
      preemptionWithdrawn: ({ unit }) => log.push(`preemption withdrawn ${unit}`),
      masterSilent: (unit) => log.push(`master silent ${unit}`),
      otherMasterSeen: ({ unit }) => log.push(`other master ${unit}`),
      vipsPresent: (_unit, instance) => log.push(`vips present ${instance}`),
    };
    this.router = new VrrpRouter(
      {
        clock: this.time,
        timers: this.time,
        logger: silentLogger,
        sockets: this.network,
        network: this.network,
        control: this.network,
        openRoutingWatch: () => this.network.routing,
        announcer: this.network,
        spawner: this.processes,
        files: {
          read: (path) => this.files.get(path),
          write: (path, text) => void this.files.set(path, text),
          watchDirectory: () => () => undefined,
        },
        processTable: { list: () => [] },
        sysctls: {
          read: (name) => this.sysctls.get(name),
          write: (name, value) => {
            this.sysctls.set(name, value);
            return undefined;
          },
        },
        firewall: {
          apply: (ruleset) => {
            this.rulesets.push(ruleset);
            return Promise.resolve(undefined);
          },
        },
      },
      settings,
      {
        observer,
        bindings: new Map(),
        resume: new Set(),
        record: (line) => {
          if ('event' in line) this.recorded.push(line.event);
        },
        ...options,
      },
    );
  }

  /** The log since the last call. */
  takeLog(): readonly string[] {
    return this.network.log.splice(0);
  }
}
