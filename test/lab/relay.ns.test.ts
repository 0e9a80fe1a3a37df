import { Lab } from './lab.js';
import type { Host } from './host.js';
import { Relay } from './relay.js';
import { startBulk, startServer, startUdpProbe } from './traffic.js';
import { waitFor } from './waitFor.js';

jest.setTimeout(300_000);

describe('the relay', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let relay: Relay;

  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    relay = await Relay.join(
      lab,
      { host: a, name: 'eth0', addresses: ['10.7.0.1/24'] },
      { host: b, name: 'eth0', addresses: ['10.7.0.2/24'] },
      42,
    );
    await startServer(b);
  });

  afterAll(async () => {
    await lab.close();
  });

  const ping = async (): Promise<string> =>
    (await a.tryExec(['ping', '-c', '20', '-i', '0.02', '-W', '2', '10.7.0.2'])).stdout;

  test('an undisturbed relay is a cable, for a bulk transfer too', async () => {
    await waitFor(async () => (await ping()).includes(' 0% packet loss'));
    const bulk = await startBulk(a, '10.7.0.2', { direction: 'down', megabytes: 5 });
    await waitFor(() => !bulk.process.isRunning);
    expect(await bulk.finish()).toMatchObject({ open: 1, errors: [] });
  });

  test('drop, duplicate and reorder happen to the frames and can be ended', async () => {
    await relay.set({ toRight: { drop: 100 } });
    expect(await ping()).toContain('100% packet loss');
    await relay.set({ toRight: { duplicate: 100 } });
    expect(await ping()).toContain('duplicates');
    await relay.set({ toRight: { reorder: 50 } });
    await ping();
    await relay.setBoth({});
    const { toRight } = await relay.counts();
    expect(toRight.dropped).toBeGreaterThan(0);
    expect(toRight.duplicated).toBeGreaterThan(0);
    expect(toRight.reordered).toBeGreaterThan(0);
    expect(await ping()).toContain(' 0% packet loss');
  });

  test('a delay is seen in the round trip', async () => {
    await relay.setBoth({ delayMilliseconds: 30 });
    const times = [...(await ping()).matchAll(/time=([\d.]+)/g)].map((match) => Number(match[1]));
    expect(times.length).toBeGreaterThan(0);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(58);
    await relay.setBoth({});
  });

  test('corrupted datagrams never arrive, mangled ones do', async () => {
    const probe = await startUdpProbe(a, '10.7.0.2');
    /** Counters of UDP in the receiver, by name (/proc/net/snmp). */
    const counters = async (): Promise<Record<string, number>> => {
      const [names = [], values = []] = (await b.exec(['cat', '/proc/net/snmp']))
        .split('\n')
        .filter((line) => line.startsWith('Udp: '))
        .map((line) => line.split(' ').slice(1));
      return Object.fromEntries(names.map((name, i) => [name, Number(values[i])]));
    };
    const atFirst = await counters();
    await relay.set({ toRight: { mangle: 100, udpPort: 7000 } });
    await waitFor(async () => (await relay.counts()).toRight.mangled > 20);
    const mangled = await counters();
    expect(mangled['InDatagrams']).toBeGreaterThan(atFirst['InDatagrams'] ?? 0);
    expect(mangled['InCsumErrors']).toBe(atFirst['InCsumErrors']);
    await relay.set({ toRight: { corrupt: 100, udpPort: 7000 } });
    await waitFor(
      async () => ((await counters())['InCsumErrors'] ?? 0) > (mangled['InCsumErrors'] ?? 0) + 5,
    );
    const { received, sent } = await probe.finish();
    expect(received).toBeLessThan(sent);
  });
});
