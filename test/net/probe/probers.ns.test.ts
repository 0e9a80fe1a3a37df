import { createServer, type Server } from 'node:net';
import { ECONNREFUSED, ENETUNREACH, ENODEV, EPERM } from '../../../src/base/errno.js';
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { systemRandom } from '../../../src/base/systemRandom.js';
import { batchedMake } from '../../../src/net/probe/batchedCarrier.js';
import type { CarrierMake } from '../../../src/net/probe/carrier.js';
import { Probers } from '../../../src/net/probe/probers.js';
import { rawSocketMake } from '../../../src/net/probe/rawSocketCarrier.js';
import type { KernelOutcome, Prober, ProbeSpec } from '../../../src/net/ports.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { EchoForger } from '../../support/net/forgedEcho.js';
import { ipv6Ready } from '../../support/net/ipv6Ready.js';
import { ip } from '../../support/vrrp/settings.js';

jest.setTimeout(300_000);

let lab: Lab;
let a: Host;
let b: Host;
let server: Server;
const makes: Record<string, CarrierMake | undefined> = {
  'batched socket': batchedMake,
  'raw-socket': rawSocketMake(),
};

beforeAll(async () => {
  lab = await Lab.open();
  [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
  await lab.link(
    {
      host: a,
      name: 'eth0',
      addresses: ['10.0.0.1/24', '10.0.0.3/24', 'fd00::1/64', 'fe80::a/64'],
    },
    { host: b, name: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64', 'fe80::b/64'] },
  );
  server = createServer((socket) => socket.destroy());
  withNetworkNamespace(b.namespacePath, () => server.listen(4_433));
});

afterAll(async () => {
  server.close();
  await lab.close();
});

/** One prober in the namespace of `a`, and what became of its probes. */
class Asking {
  readonly answered: number[] = [];
  readonly failed: string[] = [];
  readonly #prober: Prober;
  static readonly all: Asking[] = [];

  constructor(probers: Probers, spec: ProbeSpec) {
    this.#prober = probers.open(spec, {
      answered: (probe) => this.answered.push(probe),
      failed: (probe, errno) => this.failed.push(`${probe} ${errno}`),
    });
    Asking.all.push(this);
  }

  send(probe: number): KernelOutcome {
    return withNetworkNamespace(a.namespacePath, () => this.#prober.send(probe));
  }

  /** Whether it is answered within the time that it takes to be sure of a loss. */
  async ask(probe: number): Promise<boolean> {
    if (this.send(probe).kind !== 'done') return false;
    for (let i = 0; i < 50 && !this.answered.includes(probe); i++) await pause(10);
    if (!this.answered.includes(probe)) this.#prober.forget(probe);
    return this.answered.includes(probe);
  }

  /** The errno, whether the call tells it or a later turn. */
  async refusal(probe: number): Promise<number | undefined> {
    const outcome = this.send(probe);
    if (outcome.kind === 'refused') return outcome.errno;
    for (let i = 0; i < 50 && this.failed.length === 0; i++) await pause(10);
    this.#prober.forget(probe);
    const [, errno] = this.failed.splice(0)[0]?.split(' ') ?? [];
    return errno === undefined ? undefined : Number(errno);
  }

  get isFlooded(): boolean {
    return this.#prober.isFlooded;
  }

  close(): void {
    this.#prober.close();
  }
}

afterEach(() => {
  for (const asking of Asking.all.splice(0)) asking.close();
});

const dropRequests =
  'table ip t { chain c { type filter hook input priority 0; icmp type echo-request drop; }; }';

/** Identifier, number and payload of a captured request. */
function restOf(frame: Uint8Array | undefined): Uint8Array {
  return Uint8Array.from(frame?.subarray(14 + 24) ?? []);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('the package raw-socket is there to be tested', () => {
  expect(rawSocketMake()?.name).toBe('raw-socket');
});

describe.each(['batched socket', 'raw-socket'])('ICMP by %s', (name) => {
  let probers: Probers;

  beforeEach(() => {
    const make = makes[name];
    if (make === undefined) throw new Error(`${name} cannot be loaded`);
    const timers = new SystemTimers(systemClock);
    probers = new Probers({ clock: systemClock, timers, random: systemRandom, make: () => make });
  });

  afterEach(() => {
    probers.close();
  });

  const icmp = (address: string, more: Partial<ProbeSpec> = {}): Asking =>
    new Asking(probers, { kind: 'icmp', address: ip(address), size: 56, ...more } as ProbeSpec);

  test.each([
    ['IPv4', '10.0.0.2', {}],
    [
      'IPv4 from another address, by the interface',
      '10.0.0.2',
      { interfaceName: 'eth0', source: ip('10.0.0.3') },
    ],
    ['IPv6', 'fd00::2', {}],
    ['IPv6 from its address', 'fd00::2', { source: ip('fd00::1'), ttl: 3 }],
    ['link-local', 'fe80::b', { interfaceName: 'eth0' }],
    ['a large payload', '10.0.0.2', { size: 1_452 }],
  ])('answers over %s', async (_name, address, more) => {
    await ipv6Ready(a, 'eth0');
    await ipv6Ready(b, 'eth0');
    const asking = icmp(address, more);
    await waitFor(() => asking.ask(1));
    for (const probe of [2, 3, 65_537, 65_538]) expect(await asking.ask(probe)).toBe(true);
    expect(asking.answered.slice(-4)).toEqual([2, 3, 65_537, 65_538]);
    expect(probers.counters).toMatchObject({ duplicates: 0, late: 0, floods: 0 });
  });

  test('two targets share a socket, and each hears its own answers', async () => {
    const [first, second] = [icmp('10.0.0.2'), icmp('10.0.0.2')];
    expect(await first.ask(1)).toBe(true);
    expect(second.answered).toEqual([]);
    expect(await second.ask(1)).toBe(true);
    expect([first.answered, second.answered]).toEqual([[1], [1]]);
  });

  test('source and TTL are on the wire as configured', async () => {
    const capture = await b.capture('eth0', { filter: 'icmp', direction: 'in' });
    const asking = icmp('10.0.0.2', { source: ip('10.0.0.3'), ttl: 9 });
    expect(await asking.ask(1)).toBe(true);
    const [frame] = await capture.waitForFrames(1);
    expect([frame?.bytes[22], [...(frame?.bytes.subarray(26, 30) ?? [])]]).toEqual([
      9,
      [10, 0, 0, 3],
    ]);
  });

  test('silence is a loss, and an answer that comes later is late', async () => {
    const forger = new EchoForger(b.namespacePath);
    const capture = await b.capture('eth0', { filter: 'icmp', direction: 'in' });
    await b.nft(dropRequests);
    const asking = icmp('10.0.0.2');
    expect(await asking.ask(1)).toBe(false);
    const [request] = await capture.waitForFrames(1);
    forger.reply('10.0.0.2', '10.0.0.1', restOf(request?.bytes));
    await waitFor(() => probers.counters.late === 1);
    expect(asking.answered).toEqual([]);
    await b.nft('delete table ip t');
    forger.close();
  });

  test('what is forged is counted and never believed', async () => {
    const forger = new EchoForger(b.namespacePath);
    const capture = await b.capture('eth0', { filter: 'icmp', direction: 'in' });
    await b.nft(dropRequests);
    const asking = icmp('10.0.0.2');
    asking.send(1);
    const [request] = await capture.waitForFrames(1);
    const right = restOf(request?.bytes);
    const changed = (at: number): Uint8Array =>
      right.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const forge = (rest: Uint8Array, source = '10.0.0.2'): void =>
      forger.reply(source, '10.0.0.1', rest);
    forge(changed(0));
    forge(changed(2));
    forge(changed(4));
    forge(changed(12));
    forge(changed(right.length - 1));
    forge(right.subarray(0, right.length - 1));
    forge(right, '10.0.0.77');
    await waitFor(() => probers.counters.junk === 7);
    expect(asking.answered).toEqual([]);
    forge(right);
    forge(right);
    await waitFor(() => probers.counters.duplicates === 1);
    expect(asking.answered).toEqual([1]);
    await b.nft('delete table ip t');
    forger.close();
  });

  test('too much at once is noticed, and is over after a while', async () => {
    const forger = new EchoForger(b.namespacePath);
    const asking = icmp('10.0.0.2');
    expect(await asking.ask(1)).toBe(true);
    const junk = new Uint8Array(12);
    let sent = 0;
    while (!asking.isFlooded && sent < 200_000) {
      for (let i = 0; i < 400; i++) forger.reply('10.0.0.2', '10.0.0.1', junk);
      sent += 400;
      await pause(0);
    }
    expect(asking.isFlooded).toBe(true);
    expect(probers.counters.floods).toBeGreaterThan(0);
    await waitFor(() => !asking.isFlooded);
    await waitFor(() => asking.ask(2));
    forger.close();
  });

  test('a rule that forbids it is EPERM, and it is right again without the rule', async () => {
    const asking = icmp('10.0.0.2');
    await a.nft(
      'table ip t { chain c { type filter hook output priority 0; ip protocol icmp drop; }; }',
    );
    expect(await asking.refusal(1)).toBe(EPERM);
    await a.nft('delete table ip t');
    expect(await asking.ask(2)).toBe(true);
  });

  test('no route and no interface are told', async () => {
    expect(await icmp('192.0.2.1').refusal(1)).toBe(ENETUNREACH);
    const nowhere = { interfaceName: 'wan' } as Partial<ProbeSpec>;
    expect(await icmp('10.0.0.2', nowhere).refusal(1)).toBe(ENODEV);
    expect(await icmp('fe80::b', nowhere).refusal(1)).toBe(ENODEV);
  });

  test('an interface that is deleted and made again is asked over again', async () => {
    const spec = { interfaceName: 'eth9' } as Partial<ProbeSpec>;
    const [v4, v6] = [icmp('10.9.0.2', spec), icmp('fe80::99', spec)];
    const make = async (): Promise<void> => {
      await lab.link(
        { host: a, name: 'eth9', addresses: ['10.9.0.1/24'] },
        { host: b, name: 'eth9', addresses: ['10.9.0.2/24', 'fe80::99/64'] },
      );
      await ipv6Ready(a, 'eth9');
      await ipv6Ready(b, 'eth9');
    };
    expect(await v4.ask(1)).toBe(false);
    await make();
    await waitFor(() => v4.ask(2));
    await waitFor(() => v6.ask(2));
    await a.ip('link delete eth9');
    expect(await v4.refusal(3)).toBeDefined();
    expect(await v6.refusal(3)).toBeDefined();
    await make();
    await waitFor(() => v4.ask(4));
    await waitFor(() => v6.ask(4));
    await a.ip('link delete eth9');
  });
});

describe('the other kinds', () => {
  const timers = new SystemTimers(systemClock);
  const probers = new Probers({
    ...{ clock: systemClock, timers, random: systemRandom, make: () => batchedMake },
  });

  test('ARP asks a neighbour, whether or not it answers ping', async () => {
    const arp = (address: string, interfaceName = 'eth0'): Asking =>
      new Asking(probers, { kind: 'arp', address: ip(address), interfaceName });
    const asking = arp('10.0.0.2');
    expect(await asking.ask(1)).toBe(true);
    expect(await asking.ask(2)).toBe(true);
    expect(await arp('10.0.0.77').ask(1)).toBe(false);
    expect(await arp('10.0.0.2', 'wan').refusal(1)).toBe(ENODEV);
    // No neighbour learns an address from the question.
    const neighbours = (await b.ipJson('neigh', 'show', '0.0.0.0')) as unknown[];
    expect(neighbours).toEqual([]);
  });

  test('ARP over an interface that is made again', async () => {
    const asking = new Asking(probers, {
      ...{ kind: 'arp', address: ip('10.9.0.2'), interfaceName: 'eth9' },
    });
    const ends = [
      { host: a, name: 'eth9', addresses: ['10.9.0.1/24'] },
      { host: b, name: 'eth9', addresses: ['10.9.0.2/24'] },
    ] as const;
    expect(await asking.refusal(1)).toBe(ENODEV);
    await lab.link(...ends);
    await waitFor(() => asking.ask(2));
    await a.ip('link delete eth9');
    expect(await asking.refusal(3)).toBe(ENODEV);
    await lab.link(...ends);
    await waitFor(() => asking.ask(4));
    await a.ip('link delete eth9');
  });

  test('TCP asks a port', async () => {
    const tcp = (address: string, port: number, more: Partial<ProbeSpec> = {}): Asking =>
      new Asking(probers, { kind: 'tcp', address: ip(address), port, ...more } as ProbeSpec);
    expect(await tcp('10.0.0.2', 4_433).ask(1)).toBe(true);
    expect(await tcp('fd00::2', 4_433, { source: ip('fd00::1'), ttl: 4 }).ask(1)).toBe(true);
    expect(await tcp('fe80::b', 4_433, { interfaceName: 'eth0' }).ask(1)).toBe(true);
    expect(await tcp('10.0.0.2', 4_434).refusal(1)).toBe(ECONNREFUSED);
    expect(await tcp('192.0.2.1', 4_433).refusal(1)).toBe(ENETUNREACH);
    expect(await tcp('10.0.0.2', 4_433, { interfaceName: 'wan' }).refusal(1)).toBe(ENODEV);
  });
});
