import { formatIp, parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { SystemTimers } from '../../../src/base/systemClock.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { AddressState, NetworkEvent } from '../../../src/net/ports.js';
import { RtnetlinkControl } from '../../../src/net/netlink/rtnetlinkControl.js';
import { RtnetlinkWatch } from '../../../src/net/netlink/rtnetlinkWatch.js';
import { runSync } from '../../lab/command.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';

jest.setTimeout(300_000);

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

describe('rtnetlink', () => {
  let lab: Lab;
  let host: Host;
  let peer: Host;
  let control: RtnetlinkControl;

  beforeAll(async () => {
    lab = await Lab.open();
    [host, peer] = (await lab.hosts('a', 'b')) as [Host, Host];
    await lab.link(
      { host, name: 'eth0', addresses: ['10.5.5.1/24', 'fd55::1/64'] },
      { host: peer, name: 'eth0' },
    );
    control = withNetworkNamespace(host.namespacePath, () => RtnetlinkControl.open());
  });

  afterAll(async () => {
    control.close();
    await lab.close();
  });

  const shown = async (): Promise<string> =>
    host.exec(['ip', '-d', 'address', 'show', 'dev', 'eth0']);

  test('a VIP stands on the interface exactly as asked, and reports that it exists or is gone', async () => {
    const vip = {
      interfaceName: 'eth0',
      address: ip('10.5.5.100'),
      prefixLength: 32,
      broadcast: ip('10.5.5.255'),
      label: 'eth0:vip',
      scope: 253,
      protocol: 18,
    };
    expect(await control.addAddress(vip)).toEqual({ kind: 'done' });
    expect(await shown()).toMatch(/inet 10\.5\.5\.100\/32 brd 10\.5\.5\.255 scope link eth0:vip/);
    expect(await control.addAddress(vip)).toEqual({ kind: 'exists' });
    expect(await control.deleteAddress(vip)).toEqual({ kind: 'done' });
    expect(await shown()).not.toContain('10.5.5.100');
    expect(await control.deleteAddress(vip)).toEqual({ kind: 'absent' });
  });

  test('an IPv6 VIP without duplicate address detection is usable at once', async () => {
    const vip = {
      interfaceName: 'eth0',
      address: ip('fd55::100'),
      prefixLength: 128,
      flags: 0x02,
      preferredLifetimeSeconds: 0,
      protocol: 18,
    };
    expect(await control.addAddress(vip)).toEqual({ kind: 'done' });
    const text = await shown();
    expect(text).toMatch(/inet6 fd55::100\/128 scope global nodad deprecated/);
    expect(text).not.toContain('tentative');
    expect(await control.addAddress(vip)).toEqual({ kind: 'exists' });
    expect(await control.deleteAddress(vip)).toEqual({ kind: 'done' });
    expect(await control.deleteAddress(vip)).toEqual({ kind: 'absent' });
  });

  test('a point-to-point address has its peer', async () => {
    const spec = {
      interfaceName: 'eth0',
      address: ip('10.5.6.1'),
      prefixLength: 32,
      peer: ip('10.5.6.2'),
    };
    expect(await control.addAddress(spec)).toEqual({ kind: 'done' });
    expect(await shown()).toContain('inet 10.5.6.1 peer 10.5.6.2/32');
    expect(await control.deleteAddress(spec)).toEqual({ kind: 'done' });
  });

  test('an interface that does not exist, and a prefix that cannot be, are refusals', async () => {
    const address = ip('10.5.5.101');
    expect(
      await control.addAddress({ interfaceName: 'nope', address, prefixLength: 32 }),
    ).toMatchObject({ kind: 'refused', message: expect.stringContaining('ENODEV') as string });
    expect(
      await control.deleteAddress({ interfaceName: 'nope', address, prefixLength: 32 }),
    ).toEqual({ kind: 'absent' });
    expect(
      await control.addAddress({ interfaceName: 'eth0', address, prefixLength: 33 }),
    ).toMatchObject({ kind: 'refused', message: expect.stringContaining('EINVAL') as string });
  });

  test('many changes at once are each answered', async () => {
    const specs = Array.from({ length: 100 }, (_, i) => ({
      interfaceName: 'eth0',
      address: ip(`10.6.0.${i + 1}`),
      prefixLength: 32,
    }));
    const added = await Promise.all(specs.map((spec) => control.addAddress(spec)));
    expect(added.filter((outcome) => outcome.kind === 'done')).toHaveLength(100);
    const deleted = await Promise.all(specs.map((spec) => control.deleteAddress(spec)));
    expect(deleted.filter((outcome) => outcome.kind === 'done')).toHaveLength(100);
  });

  test('routes are added and deleted with metric, table, source, mtu and origin', async () => {
    const route = {
      family: 4 as const,
      destination: ip('192.0.2.0'),
      prefixLength: 24,
      gateway: ip('10.5.5.2'),
      interfaceName: 'eth0',
      source: ip('10.5.5.1'),
      metric: 5,
      table: 1000,
      mtu: 1400,
      protocol: 18,
    };
    expect(await control.addRoute(route)).toEqual({ kind: 'done' });
    expect(await host.exec(['ip', 'route', 'show', 'table', '1000'])).toMatch(
      /192\.0\.2\.0\/24 via 10\.5\.5\.2 dev eth0 proto (keepalived|18) src 10\.5\.5\.1 metric 5 mtu 1400/,
    );
    expect(await control.addRoute(route)).toEqual({ kind: 'exists' });
    expect(await control.deleteRoute(route)).toEqual({ kind: 'done' });
    expect(await control.deleteRoute(route)).toEqual({ kind: 'absent' });
    const black = {
      family: 4 as const,
      destination: ip('198.51.100.0'),
      prefixLength: 24,
      type: 6,
    };
    expect(await control.addRoute(black)).toEqual({ kind: 'done' });
    expect(await host.exec(['ip', 'route'])).toContain('blackhole 198.51.100.0/24');
    expect(await control.deleteRoute(black)).toEqual({ kind: 'done' });
    const six = { family: 6 as const, prefixLength: 0, gateway: ip('fd55::2'), protocol: 18 };
    expect(await control.addRoute(six)).toEqual({ kind: 'done' });
    expect(await host.exec(['ip', '-6', 'route'])).toContain('default via fd55::2');
    expect(await control.deleteRoute(six)).toEqual({ kind: 'done' });
    const device = {
      family: 4 as const,
      destination: ip('203.0.113.0'),
      prefixLength: 24,
      interfaceName: 'eth0',
    };
    expect(await control.addRoute(device)).toEqual({ kind: 'done' });
    expect(await host.exec(['ip', 'route'])).toContain(
      '203.0.113.0/24 dev eth0 proto static scope link',
    );
    expect(await control.deleteRoute(device)).toEqual({ kind: 'done' });
  });

  test('rules are added and deleted', async () => {
    const rule = {
      family: 4 as const,
      from: { address: ip('10.9.0.0'), prefixLength: 16 },
      inputInterface: 'eth0',
      fwmark: 7,
      priority: 100,
      table: 200,
      protocol: 18,
    };
    expect(await control.addRule(rule)).toEqual({ kind: 'done' });
    expect(await host.exec(['ip', 'rule'])).toMatch(
      /100:\s+from 10\.9\.0\.0\/16 fwmark 0x7 iif eth0 lookup 200/,
    );
    expect(await control.addRule(rule)).toEqual({ kind: 'exists' });
    expect(await control.deleteRule(rule)).toEqual({ kind: 'done' });
    expect(await control.deleteRule(rule)).toEqual({ kind: 'absent' });
  });

  describe('watching', () => {
    let watch: RtnetlinkWatch;
    let events: NetworkEvent[];

    const open = async (receiveBufferBytes?: number): Promise<void> => {
      watch = withNetworkNamespace(host.namespacePath, () =>
        RtnetlinkWatch.open({
          timers: new SystemTimers(),
          ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
        }),
      );
      events = [];
      watch.subscribe((event) => events.push(event));
      await watch.load();
    };

    afterEach(() => {
      watch.close();
    });

    /** What `ip` sees, in the watch's terms. */
    const kernelView = async (): Promise<{ addresses: string[]; links: string[] }> => {
      const list = (await host.ipJson('address', 'show')) as {
        ifindex: number;
        ifname: string;
        mtu: number;
        flags: string[];
        addr_info: { local?: string; prefixlen: number }[];
      }[];
      return {
        addresses: list
          .flatMap((link) =>
            link.addr_info.map((info) => `${link.ifindex} ${info.local ?? ''}/${info.prefixlen}`),
          )
          .sort(),
        links: list
          .map((link) => `${link.ifindex} ${link.ifname} ${link.mtu} ${link.flags.includes('UP')}`)
          .sort(),
      };
    };
    const ownView = (): { addresses: string[]; links: string[] } => ({
      addresses: watch
        .addresses()
        .map((a: AddressState) => `${a.linkIndex} ${formatIp(a.address)}/${a.prefixLength}`)
        .sort(),
      links: watch
        .links()
        .map((l) => `${l.index} ${l.name} ${l.mtu} ${l.isUp}`)
        .sort(),
    });

    test('links and addresses are listed as the kernel has them', async () => {
      await open();
      expect(ownView()).toEqual(await kernelView());
      const link = watch.linkByName('eth0');
      expect(Buffer.from(link?.mac ?? []).toString('hex')).toBe(
        (await host.macOf('eth0')).replaceAll(':', ''),
      );
      expect(watch.linkByName('lo')?.isLoopback).toBe(true);
      expect(watch.linkByName('nope')).toBeUndefined();
    });

    test('a lost carrier, a new address with its label, and their end are events', async () => {
      await open();
      await peer.ip('link set eth0 down');
      await waitFor(() => watch.linkByName('eth0')?.isRunning === false);
      expect(watch.linkByName('eth0')?.isUp).toBe(true);
      await peer.ip('link set eth0 up');
      await waitFor(() => watch.linkByName('eth0')?.isRunning);
      await control.addAddress({
        interfaceName: 'eth0',
        address: ip('10.5.5.77'),
        prefixLength: 32,
        label: 'eth0:x',
        protocol: 18,
      });
      const added = await waitFor(() =>
        events.find((event) => event.kind === 'address' && event.address.label === 'eth0:x'),
      );
      expect(added).toMatchObject({ address: { prefixLength: 32, scope: 0, protocol: 18 } });
      await host.ip('address del 10.5.5.77/32 dev eth0');
      await waitFor(() => events.some((event) => event.kind === 'addressGone'));
      await host.ip(
        'link add extra7 type veth peer name extra8',
        'link set extra7 up',
        'link del extra7',
      );
      await waitFor(() =>
        events.some((event) => event.kind === 'linkGone' && event.link.name === 'extra7'),
      );
      expect(ownView()).toEqual(await kernelView());
    });

    test('a bridge port that leaves its bridge is no link that is gone', async () => {
      await host.ip(
        'link add d1 type veth peer name d2',
        'link add br1 type bridge',
        'link set d1 up',
      );
      await open();
      await host.ip('link set d1 master br1', 'link set d1 nomaster', 'link set d1 mtu 1300');
      await waitFor(() => watch.linkByName('d1')?.mtu === 1300);
      expect(events.some((event) => event.kind === 'linkGone')).toBe(false);
      await host.ip('link del d1', 'link del br1');
    });

    test('a storm overruns a 4 KiB buffer; afterwards the state is right and changes still arrive', async () => {
      await open(4096);
      const listed = [...ownView().addresses];
      const batch: string[] = [];
      for (let round = 0; round < 10; round++) {
        for (let i = 0; i < 250; i++) {
          batch.push(`address add 10.77.${round}.${i}/32 dev eth0`);
          if (i % 3 !== 0) batch.push(`address del 10.77.${round}.${i}/32 dev eth0`);
        }
        batch.push(
          `link add storm${round} type veth peer name calm${round}`,
          `link set storm${round} up`,
        );
        batch.push(`link set eth0 mtu ${1300 + round}`);
        if (round % 2 === 0) batch.push(`link del storm${round}`);
      }
      // The first half while this process does not read at all, the second while it reads.
      const half = batch.length >> 1;
      runSync(['ip', '-n', host.namespace, '-batch', '-'], {
        input: `${batch.slice(0, half).join('\n')}\n`,
      });
      await host.ip(...batch.slice(half));
      await waitFor(() => watch.overruns > 0, { description: 'an overrun' });
      await waitFor(() => events.some((event) => event.kind === 'resynced'));
      const kernel = await kernelView();
      expect(kernel.addresses.length).toBeGreaterThan(listed.length + 800);
      await waitFor(() => JSON.stringify(ownView()) === JSON.stringify(kernel), {
        description: 'the kernel’s own state after the storm',
      });
      // The events led to the same state as the snapshot says.
      const known = new Set(listed);
      for (const event of events) {
        if (event.kind !== 'address' && event.kind !== 'addressGone') continue;
        const { linkIndex, address, prefixLength } = event.address;
        const key = `${linkIndex} ${formatIp(address)}/${prefixLength}`;
        if (event.kind === 'address') known.add(key);
        else known.delete(key);
      }
      expect([...known].sort()).toEqual(kernel.addresses);
      await host.ip('address add 10.88.0.1/32 dev eth0');
      await waitFor(() => watch.addresses().some((a) => formatIp(a.address) === '10.88.0.1'));
      await host.ip('address flush dev eth0');
      await waitFor(async () => JSON.stringify(ownView()) === JSON.stringify(await kernelView()));
    });
  });
});
