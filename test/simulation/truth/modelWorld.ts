/** The model as a world of scripts: time moves when a script waits. */
import { microseconds, seconds, type Turns } from '../../../src/base/time.js';
import { systemTurns } from '../../../src/base/systemClock.js';
import { ManualTime, settle } from '../../support/base/manualTime.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import { Kernel } from '../kernel/kernel.js';
import type { ConntrackSysctls, NatMapping, Tuple } from '../kernel/kernelPorts.js';
import {
  enterThread,
  installSimulatedAddon,
  type EnteredThread,
} from '../kernel/simulatedAddon.js';
import { statefulRuleset, type StatefulRules } from '../kernel/statefulRuleset.js';
import type { RulesName, Side, SysctlName } from './script.js';
import {
  narrowPorts,
  natAddress,
  place,
  published,
  type ScriptPacket,
  type TruthWorld,
} from './truthWorld.js';

/** Small, so that a script fills it in no time. */
const largestTable = 64;
const inside = { inside: [place.inside.interfaceName] };
const translation = (mapping: Partial<NatMapping> = {}): StatefulRules => ({
  ...inside,
  sourceNat: { address: natAddress, ...mapping },
});

const rulesets: Readonly<Record<RulesName, StatefulRules>> = {
  plain: inside,
  snat: translation(),
  narrow: translation({ ports: narrowPorts }),
  masquerade: translation({ masqueradeInterface: place.outside.interfaceName }),
  dnat: {
    ...inside,
    destinationNat: [
      {
        to: { protocol: 6, address: natAddress, port: published.port },
        mapping: {
          address: published.server,
          ports: [published.serverPort, published.serverPort],
        },
      },
    ],
  },
  noNatChains: { ...inside, hasNatChains: false },
  acceptInvalid: { ...translation(), acceptsInvalid: true },
};

export class ModelWorld implements TruthWorld {
  readonly clock = new ManualTime();
  readonly timers = this.clock;
  readonly turns: Turns = systemTurns;
  readonly largestTable = largestTable;
  readonly kernel: Kernel;
  readonly #thread: EnteredThread;

  /** Installs the simulated addon: no real socket can be opened beside it. */
  constructor(rules: RulesName, seed = 1) {
    installSimulatedAddon();
    this.kernel = new Kernel({
      clock: this.clock,
      timers: this.clock,
      random: new SeededRandom(seed),
      ruleset: statefulRuleset(rulesets[rules]),
      sysctls: { events: 1, max: largestTable },
    });
    for (const { interfaceName, router, prefixLength } of [place.inside, place.outside]) {
      this.kernel.network.addLink(interfaceName);
      this.kernel.network.addAddress(interfaceName, router, prefixLength);
    }
    this.#thread = { kernel: this.kernel, timers: this.clock };
  }

  enter<T>(open: () => T): T {
    enterThread(this.#thread);
    return open();
  }

  send(packet: ScriptPacket): Promise<Tuple | undefined> {
    const { from, tuple, tcpFlags, data, scale, outsideWindow } = packet;
    const verdict = this.kernel.packet({
      tuple,
      input: place[from].interfaceName,
      tcpFlags,
      hasData: data > 0,
      permitsSelectiveAck: false,
      ...(scale === undefined ? {} : { windowScale: scale }),
      isOutOfWindow: outsideWindow,
    });
    return Promise.resolve(verdict.kind === 'forwarded' ? verdict.tuple : undefined);
  }

  sysctl(name: SysctlName, value: number): Promise<void> {
    setSysctl(this.kernel.sysctls, name, value);
    return Promise.resolve();
  }

  address(change: 'add' | 'delete', side: Side, address: string): Promise<void> {
    const { interfaceName, prefixLength } = place[side];
    const { network } = this.kernel;
    if (change === 'add') network.addAddress(interfaceName, address, prefixLength);
    else network.deleteAddress(address);
    return Promise.resolve();
  }

  link(side: Side, isUp: boolean): Promise<void> {
    this.kernel.network.setUp(place[side].interfaceName, isUp);
    return Promise.resolve();
  }

  wait(duration: number): Promise<void> {
    enterThread(this.#thread);
    return this.clock.advance(seconds(duration));
  }

  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    enterThread(this.#thread);
    // A method, because the flag changes during the awaits.
    const goesOn = (): boolean => !isOver;
    while (goesOn()) {
      await this.clock.advance(microseconds(0));
      await settle();
    }
    return work;
  }
}

function setSysctl(sysctls: ConntrackSysctls, name: SysctlName, value: number): void {
  const { timeouts } = sysctls;
  switch (name) {
    case 'events':
      sysctls.events = value === 0 ? 0 : value === 1 ? 1 : 2;
      break;
    case 'tcp_loose':
      sysctls.tcpLoose = value !== 0;
      break;
    case 'tcp_be_liberal':
      sysctls.tcpBeLiberal = value !== 0;
      break;
    case 'udp_timeout':
      timeouts.udp = value;
      break;
    case 'udp_timeout_stream':
      timeouts.udpStream = value;
      break;
    case 'tcp_timeout_time_wait':
      timeouts.tcpTimeWait = value;
      break;
    case 'tcp_timeout_close':
      timeouts.tcpClose = value;
      break;
    case 'icmp_timeout':
      timeouts.icmp = value;
      break;
    case 'generic_timeout':
      timeouts.generic = value;
      break;
  }
}
