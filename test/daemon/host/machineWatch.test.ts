import { seconds } from '../../../src/base/time.js';
import { MachineWatch, type MachineLook } from '../../../src/daemon/host/machineWatch.js';
import { loadNodeText } from '../../../src/config/loadNode.js';
import type { Incumbents } from '../../../src/config/machine/incumbents.js';
import type { NodeSettings } from '../../../src/config/nodeSettings.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { ManualTime } from '../../support/base/manualTime.js';

const vrrp = `
vrrp_instance VI {
  interface lan
  virtual_router_id 51
  priority 100
  virtual_ipaddress {
    10.1.0.254/24
  }
}
`;
const sync = `
Sync {
  Mode FTFW {
  }
  UDP {
    IPv4_address 10.3.0.1
    IPv4_Destination_Address 10.3.0.2
    Port 3780
    Interface sync
  }
}
General {
  HashLimit 65536
}
`;

function settingsOf(text: string): NodeSettings {
  const loaded = loadNodeText(text, 'test.conf', systemLoadPorts({ machine: false }));
  if (loaded.settings === undefined) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

class FakeMachine implements MachineLook {
  sysctls: Record<string, number> = {
    'net/netfilter/nf_conntrack_events': 2,
    'net/netfilter/nf_conntrack_max': 262_144,
    'net/netfilter/nf_conntrack_tcp_loose': 1,
    'net/ipv4/ip_forward': 0,
  };
  runs: Incumbents['running'] = [];
  units: Incumbents['enabled'] = [];
  isBroken = false;

  sysctl(name: string): number | undefined {
    return this.sysctls[name];
  }
  enabled(): FakeMachine['units'] {
    return this.units;
  }
  running(): Promise<FakeMachine['runs']> {
    return this.isBroken ? Promise.reject(new Error('EMFILE')) : Promise.resolve(this.runs);
  }
}

class Life {
  readonly machine = new FakeMachine();
  readonly time = new ManualTime();
  readonly lines: string[] = [];
  readonly rules = {
    isRouter: false,
    problems: [],
    isTranslated: (address: string) => address === '10.1.0.254',
    start: jest.fn(),
    close: jest.fn(),
  };
  readonly watch: MachineWatch;

  constructor(text = vrrp + sync) {
    const settings = settingsOf(text);
    this.watch = new MachineWatch({
      timers: this.time,
      logger: { log: (level, message) => this.lines.push(`${level} ${message}`) },
      settings: () => settings,
      rules: this.rules,
      look: this.machine,
    });
  }

  async pass(period = seconds(61)): Promise<void> {
    await this.time.advance(period);
  }

  get codes(): readonly string[] {
    return this.watch.problems.map(({ severity, code }) => `${severity} ${code}`);
  }
}

test('a healthy machine shows nothing', async () => {
  const life = new Life();
  life.watch.start();
  await life.pass();
  expect(life.codes).toEqual([]);
  expect(life.rules.start).toHaveBeenCalledTimes(1);
  expect(life.watch.isTranslated('10.1.0.254')).toBe(true);
});

test('events that are switched off are a problem at the start and as long as they are', async () => {
  const life = new Life();
  life.machine.sysctls['net/netfilter/nf_conntrack_events'] = 0;
  life.watch.start();
  expect(life.codes).toEqual(['error conntrack-events']);
  await life.pass();
  expect(life.lines).toEqual([
    'error nf_conntrack_events is 0: the kernel tells nobody of new flows, so nothing is replicated',
  ]);
  life.machine.sysctls['net/netfilter/nf_conntrack_events'] = 1;
  await life.pass();
  expect(life.codes).toEqual([]);
});

test('forwarding and tcp_loose count where the ruleset is that of a router', async () => {
  const life = new Life();
  life.rules.isRouter = true;
  life.watch.start();
  expect(life.codes).toEqual(['error forwarding-off', 'warning tcp-loose']);
  life.rules.isRouter = false;
  await life.pass();
  expect(life.codes).toEqual([]);
});

test('a conntrackd that appears later is a problem until it ends', async () => {
  const life = new Life();
  life.watch.start();
  await life.pass();
  life.machine.runs = [{ name: 'conntrackd', pid: 77 }];
  await life.pass();
  expect(life.codes).toEqual(['error incumbent-running']);
  expect(life.watch.problems[0]?.text).toContain('conntrackd (process 77)');
  life.machine.isBroken = true;
  await life.pass();
  expect(life.codes).toEqual(['error incumbent-running']);
  life.machine.isBroken = false;
  life.machine.runs = [];
  await life.pass();
  expect(life.codes).toEqual([]);
});

test('an enabled unit of either is a warning, of one whose work is not done here it is none', () => {
  const units = (['keepalived', 'conntrackd'] as const).map((name) => ({
    name,
    unit: `${name}.service`,
    link: `/etc/systemd/system/multi-user.target.wants/${name}.service`,
  }));
  const both = new Life();
  both.machine.units = units;
  both.watch.start();
  expect(both.codes).toEqual(['warning incumbent-enabled', 'warning incumbent-enabled']);
  const alone = new Life(vrrp);
  alone.machine.units = units;
  alone.watch.start();
  expect(alone.watch.problems.map(({ remedy }) => remedy)).toEqual([
    'systemctl disable --now keepalived',
  ]);
});

test('a reload asks at once, and asks no second time while it waits for an answer', async () => {
  const life = new Life();
  life.watch.start();
  await life.pass();
  life.machine.runs = [{ name: 'keepalived', pid: 78 }];
  life.watch.again();
  life.watch.again();
  await life.pass(seconds(0));
  expect(life.codes).toEqual(['error incumbent-running']);
});

test('nothing is asked once it is closed', async () => {
  const life = new Life();
  life.watch.start();
  life.watch.close();
  await life.pass();
  life.machine.sysctls['net/netfilter/nf_conntrack_events'] = 0;
  await life.pass();
  expect(life.codes).toEqual([]);
});
