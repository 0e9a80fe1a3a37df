/**
 * What instances hold in the kernel stays there although somebody takes it away, takes turns with
 * it or gives its interface another name; what is not theirs keeps its place.
 */
import type { Bridge } from '../../lab/bridge.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { sleep, waitFor } from '../../lab/waitFor.js';
import type { InstanceSpec, NodeSpec } from '../../support/vrrp/nodeSpec.js';
import { KeepstateNode } from '../../support/vrrp/peers.js';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(async () => {
  await lab.close();
});

const instance = (changes: Partial<InstanceSpec> = {}): InstanceSpec => ({
  name: 'V',
  interfaceName: 'eth0',
  vrid: 51,
  priority: 100,
  vips: ['10.0.0.100/24'],
  garpMasterDelay: 1,
  ...changes,
});

/** A host on one network, and a node that is MASTER of it. */
async function master(
  id: string,
  spec: NodeSpec,
): Promise<{ readonly host: Host; readonly lan: Bridge; readonly node: KeepstateNode }> {
  const [host] = (await lab.hosts(`${id}h`)) as [Host];
  const lan = await lab.bridge(`${id}l`);
  await lan.attach(host, 'eth0', ['10.0.0.1/24']);
  const node = await KeepstateNode.start(host, spec);
  for (const { name } of spec.instances) {
    await waitFor(async () => (await node.state(name)) === 'MASTER', { description: 'MASTER' });
  }
  return { host, lan, node };
}

/** Addresses of eth0 in the kernel's order, secondary ones marked. */
async function inOrder(host: Host): Promise<string[]> {
  const text = await host.exec(['ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0']);
  return text
    .trim()
    .split('\n')
    .map(
      (line) => `${/inet (\S+)/.exec(line)?.[1] ?? ''}${line.includes(' secondary ') ? ' 2' : ''}`,
    );
}

const batch = (host: Host, lines: readonly string[]): Promise<string> =>
  host.exec(['ip', '-batch', host.file(`b${performance.now()}`, `${lines.join('\n')}\n`)]);

describe('routes and rules that somebody deletes', () => {
  test('come back by themselves, static ones too, and the log says who was at work', async () => {
    const { host, node } = await master('rr', {
      instances: [instance()],
      instanceText: `
  virtual_routes {
    10.9.0.0/16 via 10.0.0.254
  }
  virtual_rules {
    from 10.9.0.0/16 lookup 100 priority 5001
  }`,
      text: `static_routes {
  10.8.0.0/16 via 10.0.0.253 table 77
}
static_rules {
  from 10.8.0.0/16 lookup 77 priority 5002
}`,
    });
    const rules = (): Promise<string> => host.exec(['ip', 'rule']);
    const routes = (): Promise<string> => host.exec(['ip', 'route', 'show', 'table', 'all']);
    const takeAway = [
      ['rule del priority 5001', rules, '5001:'],
      ['rule del priority 5002', rules, '5002:'],
      ['route del 10.9.0.0/16', routes, '10.9.0.0/16 via'],
      ['route del 10.8.0.0/16 table 77', routes, '10.8.0.0/16 via'],
    ] as const;
    for (const [words, look, expected] of takeAway) {
      await waitFor(async () => (await look()).includes(expected), { description: expected });
      await host.ip(words);
      await waitFor(async () => (await look()).includes(expected), {
        description: `${expected} to come back`,
      });
    }
    expect(node.process.stderr.match(/deleted by somebody else/g)).toHaveLength(4);
    // What keepstate deletes itself stays away, and is nobody's fault.
    await node.stop();
    expect(await rules()).not.toMatch(/500[12]:/);
    expect(await routes()).not.toContain('10.9.0.0/16');
    expect(node.process.stderr.match(/deleted by somebody else/g)).toHaveLength(4);
  });

  test('one that two instances list goes with the last of them', async () => {
    const { host, lan, node } = await master('tw', {
      instances: [instance(), instance({ name: 'W', vrid: 52, vips: ['10.0.0.101/24'] })],
      instanceText: `
  virtual_rules {
    from 10.9.0.0/16 lookup 100 priority 5001
  }`,
    });
    const hasRule = async (): Promise<boolean> =>
      (await host.exec(['ip', 'rule'])).includes('5001:');
    await waitFor(hasRule);
    // A stronger router for V alone: V steps down, W stays.
    const [other] = (await lab.hosts('two')) as [Host];
    await lan.attach(other, 'eth0', ['10.0.0.2/24']);
    const stronger = await KeepstateNode.start(other, { instances: [instance({ priority: 200 })] });
    await waitFor(async () => (await node.state('V')) === 'BACKUP', { description: 'V as BACKUP' });
    await waitFor(async () => !(await host.hasAddress('10.0.0.100')));
    expect(await hasRule()).toBe(true);
    await stronger.stop();
  });
});

describe('the own address of the interface', () => {
  test('deleted and added at once: nobody loses a role, and it stays in front of the VIP', async () => {
    const { host, node } = await master('oa', { instances: [instance()] });
    await host.sysctl({ 'net.ipv4.conf.eth0.promote_secondaries': 0 });
    for (let round = 0; round < 24; round++) {
      await batch(host, ['addr del 10.0.0.1/24 dev eth0', 'addr add 10.0.0.1/24 dev eth0']);
      if (round % 3 === 1) await sleep(round);
      await waitFor(
        async () => (await host.hasAddress('10.0.0.100')) && (await host.hasAddress('10.0.0.1')),
      );
      expect(await inOrder(host)).toEqual(['10.0.0.1/24', '10.0.0.100/24 2']);
    }
    expect(node.history('V')).toEqual(['BACKUP', 'MASTER']);
  });

  test('gone for good: the peer hears priority 0 and does not wait in full', async () => {
    const { host, lan, node } = await master('og', { instances: [instance()] });
    const [other] = (await lab.hosts('oth')) as [Host];
    await lan.attach(other, 'eth0', ['10.0.0.2/24']);
    const capture = await other.capture('eth0', { filter: 'ip proto 112' });
    await host.ip('addr del 10.0.0.1/24 dev eth0');
    await waitFor(async () => (await node.state('V')) === 'FAULT', { description: 'FAULT' });
    await waitFor(() => capture.frames().some(({ bytes }) => bytes[14 + 20 + 2] === 0), {
      description: 'priority 0',
    });
    await host.ip('addr add 10.0.0.1/24 dev eth0');
    await waitFor(async () => (await node.state('V')) === 'MASTER', {
      description: 'MASTER again',
    });
  });
});

test('an interface that gets another name while it is down keeps no VIP', async () => {
  const rename = async (round: number): Promise<void> => {
    const { host, node } = await master(`nm${round}`, { instances: [instance()] });
    await batch(host, ['link set eth0 down', 'link set eth0 name xx', 'link set xx up']);
    await waitFor(async () => (await node.state('V')) === 'FAULT', { description: 'FAULT' });
    await waitFor(async () => !(await host.hasAddress('10.0.0.100')), {
      description: 'the VIP to go from the renamed interface',
      timeout: 20_000,
    });
    await node.stop();
  };
  await Promise.all([0, 1, 2, 3].map(rename));
});
