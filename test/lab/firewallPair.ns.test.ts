import { Conntrackd } from './conntrackd.js';
import { firewallPair, pairAddresses, type FirewallPair } from './firewallPair.js';
import { Keepalived } from './keepalived.js';
import { Lab } from './lab.js';
import { startBulk, startServer, startTcp, startUdpProbe } from './traffic.js';
import { waitFor } from './waitFor.js';

jest.setTimeout(300_000);

describe('the firewall pair', () => {
  let lab: Lab;
  let pair: FirewallPair;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    await pair.takeVips(0);
    await startServer(pair.server);
  });

  afterAll(async () => {
    await lab.close();
  });

  const { server, wanVip } = pairAddresses;

  test('connections go through the firewall that has the VIPs, translated to the WAN VIP', async () => {
    const tcp = await startTcp(pair.client, { server, count: 20 });
    const udp = await startUdpProbe(pair.client, server);
    const bulk = await startBulk(pair.client, server, { direction: 'down', megabytes: 5 });
    const upload = await startBulk(pair.client, server, { direction: 'up', megabytes: 5 });
    expect(await pair.firewalls[0].conntrack('-L', '-p', 'tcp')).toContain(`dst=${wanVip}`);
    await waitFor(() => !bulk.process.isRunning && !upload.process.isRunning);
    expect(await bulk.finish()).toMatchObject({ connections: 1, open: 1, errors: [] });
    expect((await upload.finish()).bytes).toBeGreaterThanOrEqual(5_000_000);
    expect(await tcp.finish()).toMatchObject({ survivors: 20, resets: 0, mismatches: 0 });
    expect((await udp.finish()).received).toBeGreaterThan(0);
  });

  test('a takeover without the flows breaks every connection: the topology can tell', async () => {
    const tcp = await startTcp(pair.client, { server, count: 5, settleMilliseconds: 1500 });
    await pair.takeVips(1);
    expect(await tcp.finish()).toMatchObject({ connections: 5, survivors: 0 });
    await pair.takeVips(0);
  });

  test('an unplugged firewall is silent on all its cables and keeps its carrier', async () => {
    const ping = async (): Promise<number> =>
      (await pair.firewalls[1].tryExec(['ping', '-c', '1', '-W', '1', pairAddresses.sync[0]]))
        .exitCode;
    await waitFor(async () => (await ping()) === 0);
    await pair.unplug(0);
    expect(await ping()).not.toBe(0);
    await pair.replug(0);
    await waitFor(async () => (await ping()) === 0);
  });

  test('the sync link can run through a relay', async () => {
    const other = await Lab.open();
    try {
      const relayed = await firewallPair(other, { syncRelaySeed: 5, bare: true });
      const ping = async (): Promise<number> =>
        (await relayed.firewalls[0].tryExec(['ping', '-c', '1', '-W', '1', pairAddresses.sync[1]]))
          .exitCode;
      await waitFor(async () => (await ping()) === 0);
      await relayed.syncRelay?.setBoth({ drop: 100 });
      expect(await ping()).not.toBe(0);
      await relayed.syncRelay?.setBoth({});
      await waitFor(async () => (await ping()) === 0);
    } finally {
      await other.close();
    }
  });

  test('a real keepalived takes the VIP and answers for its state', async () => {
    const { lan } = pairAddresses;
    const keepalived = await Keepalived.start(
      pair.firewalls[0],
      `vrrp_instance L {
         state BACKUP
         interface lan
         virtual_router_id 51
         priority 100
         advert_int 1
         unicast_src_ip ${lan[0]}
         unicast_peer { ${lan[1]} }
         virtual_ipaddress { 10.1.0.200/32 }
       }`,
    );
    await waitFor(async () => (await keepalived.state('L')) === 'MASTER');
    expect(await pair.firewalls[0].hasAddress('10.1.0.200')).toBe(true);
    expect(await keepalived.stats()).toContain('Became master: 1');
    await keepalived.stop();
    expect(await pair.firewalls[0].hasAddress('10.1.0.200')).toBe(false);
  });

  test('a pair of real conntrackd replicates a flow', async () => {
    const daemons = await Promise.all(
      pair.firewalls.map((firewall, i) =>
        Conntrackd.start(firewall, {
          mode: 'FTFW',
          link: {
            kind: 'udp',
            local: pairAddresses.sync[i] ?? '',
            destination: pairAddresses.sync[1 - i] ?? '',
            interfaceName: 'sync',
          },
        }),
      ),
    );
    const tcp = await startTcp(pair.client, { server, count: 3 });
    await waitFor(
      async () =>
        (await daemons[1]?.entries('external'))?.filter((line) => line.includes('dport=7000'))
          .length === 3,
      { description: 'three flows in the external cache of the second conntrackd' },
    );
    expect(await tcp.finish()).toMatchObject({ survivors: 3 });
    await Promise.all(daemons.map((daemon) => daemon.stop()));
  });
});
