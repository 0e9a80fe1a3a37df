/** The hands of VRRP on a real kernel: VIPs, routes, tracking, scripts, firewall, left-overs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Bridge } from '../lab/bridge.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import type { InstanceSnapshot } from '../../src/vrrp/status/snapshot.js';
import type { NodeSpec } from '../support/vrrp/nodeSpec.js';
import { KeepstateNode } from '../support/vrrp/peers.js';

const timeout = 120_000;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(async () => {
  await lab.close();
}, 300_000);

interface Site {
  readonly host: Host;
  readonly neighbour: Host;
  readonly lan: Bridge;
  readonly wan: Bridge;
}

async function site(id: string): Promise<Site> {
  const [host, neighbour] = (await lab.hosts(`${id}h`, `${id}n`)) as [Host, Host];
  const [lan, wan] = [await lab.bridge(`${id}l`), await lab.bridge(`${id}w`)];
  await lan.attach(host, 'eth0', ['10.0.0.1/24']);
  await lan.attach(neighbour, 'eth0', ['10.0.0.2/24']);
  await wan.attach(host, 'eth1', ['10.1.0.1/24']);
  return { host, neighbour, lan, wan };
}

function spec(extra: Partial<NodeSpec> = {}): NodeSpec {
  const instance = {
    name: 'V',
    interfaceName: 'eth0',
    vrid: 51,
    priority: 100,
    vips: ['10.0.0.100/24'],
    garpMasterDelay: 1,
  };
  return { instances: [instance], ...extra };
}

async function instanceOf(node: KeepstateNode): Promise<InstanceSnapshot> {
  const [instance] = (await node.report()).snapshot.instances;
  if (instance === undefined) throw new Error('no instance');
  return instance;
}

async function untilState(node: KeepstateNode, state: string): Promise<InstanceSnapshot> {
  return waitFor(
    async () => {
      const instance = await instanceOf(node);
      return instance.state === state ? instance : undefined;
    },
    { description: state, interval: 100 },
  );
}

test.concurrent(
  'a VIP that somebody deletes comes back and is announced, and the role stays',
  async () => {
    const { host, neighbour } = await site('vd');
    const node = await KeepstateNode.start(host, spec());
    await untilState(node, 'MASTER');
    await waitFor(() => host.hasAddress('10.0.0.100'));
    const capture = await neighbour.capture('eth0', { filter: 'arp' });
    await host.ip('address del 10.0.0.100/24 dev eth0');
    await waitFor(() => host.hasAddress('10.0.0.100'), { description: 'the VIP to come back' });
    await capture.waitForFrames(5);
    expect(node.history('V')).toEqual(['BACKUP', 'MASTER']);
    expect(node.process.stderr).toContain(
      'VIP is gone, putting it back: it was deleted by somebody else',
    );
  },
  timeout,
);

test.concurrent(
  'VIPs of a killed run are removed at the next start, and stop removes its own',
  async () => {
    const { host } = await site('lo');
    const first = await KeepstateNode.start(host, spec());
    await waitFor(() => host.hasAddress('10.0.0.100'));
    await first.kill();
    expect(await host.hasAddress('10.0.0.100')).toBe(true);
    const second = await KeepstateNode.start(host, spec());
    expect(await host.hasAddress('10.0.0.100')).toBe(false);
    await untilState(second, 'MASTER');
    await waitFor(() => host.hasAddress('10.0.0.100'));
    await second.stop();
    expect(await host.hasAddress('10.0.0.100')).toBe(false);
  },
  timeout,
);

test.concurrent(
  'routes whose link is down are pending, shown, and set when the link is up; again after it was down',
  async () => {
    const { host } = await site('ro');
    await host.ip('link set eth1 down');
    const text = `
  virtual_routes {
    10.9.0.0/16 via 10.1.0.254
  }`;
    const statics = 'static_routes {\n  10.8.0.0/16 via 10.1.0.253\n}';
    const node = await KeepstateNode.start(host, spec({ instanceText: text, text: statics }));
    const pending = await untilState(node, 'MASTER');
    expect(pending.routes.map(({ state }) => state)).toEqual(['pending']);
    expect(pending.problems.map(({ reason }) => reason)).toContain('pending');
    expect((await node.report()).snapshot.statics.map(({ state }) => state)).toEqual(['pending']);
    const isRouted = async (): Promise<boolean> => {
      const routes = await host.exec(['ip', 'route']);
      return routes.includes('10.9.0.0/16 via') && routes.includes('10.8.0.0/16 via');
    };
    await host.ip('link set eth1 up');
    await waitFor(isRouted, { description: 'both routes' });
    expect((await instanceOf(node)).routes.map(({ state }) => state)).toEqual(['set']);
    await host.ip('link set eth1 down');
    await waitFor(async () => (await instanceOf(node)).routes[0]?.state === 'pending');
    await host.ip('link set eth1 up');
    await waitFor(isRouted, { description: 'both routes again' });
    await node.stop();
    expect(await host.exec(['ip', 'route'])).not.toContain('10.9.0.0');
  },
  timeout,
);

test.concurrent(
  'an interface that is deleted means FAULT; made anew it is used again',
  async () => {
    const { host, lan } = await site('if');
    const node = await KeepstateNode.start(host, spec());
    await untilState(node, 'MASTER');
    await host.ip('link del eth0');
    expect((await untilState(node, 'FAULT')).faults[0]).toContain('eth0');
    await lan.attach(host, 'eth0', ['10.0.0.1/24']);
    await untilState(node, 'MASTER');
    await waitFor(() => host.hasAddress('10.0.0.100'));
    const { sent } = await advertCount(host);
    expect(sent).toBeGreaterThan(0);
  },
  timeout,
);

test.concurrent(
  'tracked scripts and files move the priority; a script that hangs is killed with its children',
  async () => {
    const { host } = await site('tr');
    const file = host.file('weight', '0\n');
    const good = host.file('good', '');
    const child = host.path('child');
    const hanging = host.file(
      'hang.sh',
      `#!/bin/sh\ntest -e ${good} && exit 0\nsleep 1000 &\necho $! > ${child}\nwait\n`,
    );
    await host.exec(['chmod', '755', hanging]);
    const text = `
vrrp_script check {
  script "${hanging}"
  interval 1
  timeout 1
  weight 30
}
track_file load {
  file "${file}"
  weight 1
}`;
    const instanceText = 'track_script {\n check\n}\ntrack_file {\n load\n}';
    const node = await KeepstateNode.start(host, spec({ text, instanceText }));
    const priority = async (wanted: number): Promise<unknown> =>
      waitFor(async () => (await instanceOf(node)).effectivePriority === wanted, {
        description: `effective priority ${wanted}`,
      });
    await untilState(node, 'MASTER');
    await priority(130);
    writeFileSync(file, '-50\n');
    await priority(80);
    await host.exec(['sh', '-c', `echo 20 > ${file}.new && mv ${file}.new ${file}`]);
    await priority(150);
    await host.exec(['rm', good]);
    await priority(120);
    const pid = Number(await waitFor(() => existsSync(child) && readFileSync(child, 'utf8')));
    await waitFor(() => !existsSync(`/proc/${pid}`), { description: 'the grandchild to die' });
    await host.exec(['rm', file]);
    await priority(100);
    expect(node.history('V').at(-1)).toBe('MASTER');
  },
  timeout,
);

test.concurrent(
  'no_accept: the VIP answers no ping, and the rules go with it',
  async () => {
    const { host, neighbour } = await site('na');
    const node = await KeepstateNode.start(host, spec({ instanceText: '  no_accept' }));
    await untilState(node, 'MASTER');
    await waitFor(() => host.hasAddress('10.0.0.100'));
    const ping = async (address: string): Promise<unknown> =>
      (await neighbour.tryExec(['ping', '-c', '1', '-W', '1', address])).exitCode;
    expect(await ping('10.0.0.1')).toBe(0);
    expect(await ping('10.0.0.100')).toBe(1);
    await node.stop();
    expect(await host.exec(['nft', 'list', 'ruleset'])).toBe('');
  },
  timeout,
);

test.concurrent(
  'a slow notify script delays no advert, and the last state is delivered last',
  async () => {
    const { host, neighbour } = await site('no');
    const seen = host.path('seen');
    const script = host.file('slow.sh', `#!/bin/sh\numask 022\nsleep 3\necho "$2 $3" >> ${seen}\n`);
    await host.exec(['chmod', '755', script]);
    const node = await KeepstateNode.start(host, spec({ notify: script }));
    await untilState(node, 'MASTER');
    const capture = await neighbour.capture('eth0', { filter: 'proto 112' });
    await capture.waitForFrames(3);
    await host.ip('link set eth0 down');
    await untilState(node, 'FAULT');
    await waitFor(() => existsSync(seen) && readFileSync(seen, 'utf8').includes('FAULT'), {
      description: 'FAULT to be told',
    });
    expect(readFileSync(seen, 'utf8').trim().split('\n')).toEqual([
      ...['V BACKUP', 'V MASTER', 'V FAULT'],
    ]);
  },
  timeout,
);

async function advertCount(host: Host): Promise<{ sent: number }> {
  const capture = await host.capture('eth0', { filter: 'proto 112', direction: 'out' });
  await capture.waitForFrames(1);
  return { sent: (await capture.stop()).length };
}
