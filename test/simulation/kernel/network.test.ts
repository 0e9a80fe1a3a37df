import type { NetworkEvent } from '../../../src/net/ports.js';
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { openLab, secondsOf, type KernelLab } from './lab.js';
import type { NetworkPorts } from './kernelPorts.js';

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};

interface Seen extends KernelLab {
  readonly ports: NetworkPorts;
  readonly events: string[];
}

function open(): Seen {
  const lab = openLab();
  lab.kernel.network.addLink('lan');
  const ports = lab.kernel.network.portsOf(lab.thread);
  const events: string[] = [];
  ports.watch.subscribe((event: NetworkEvent) => void events.push(event.kind));
  return { ...lab, ports, events };
}

const vip = { interfaceName: 'lan', address: ip('10.1.0.254'), prefixLength: 24 };

test('an address is there at once, and the thread hears of it in a turn of its own', async () => {
  const { kernel, ports, events, time } = open();
  const answer = ports.control.addAddress(vip);
  expect(kernel.network.hasAddress('10.1.0.254')).toBe(true);
  expect(ports.watch.addresses()).toEqual([]);
  await time.advance(secondsOf(0));
  expect(await answer).toEqual({ kind: 'done' });
  expect(events).toEqual(['address']);
  expect(ports.watch.addresses()).toHaveLength(1);
});

test('what exists, and what is absent, is said', async () => {
  const { ports, time } = open();
  const answers = [
    ports.control.addAddress(vip),
    ports.control.addAddress(vip),
    ports.control.deleteAddress({ ...vip, prefixLength: 32 }),
    ports.control.deleteAddress(vip),
    ports.control.deleteAddress(vip),
    ports.control.addAddress({ ...vip, interfaceName: 'none' }),
  ];
  await time.advance(secondsOf(0));
  const kinds = (await Promise.all(answers)).map(({ kind }) => kind);
  expect(kinds).toEqual(['done', 'exists', 'absent', 'done', 'absent', 'refused']);
});

test('with a primary address its secondaries go', () => {
  const { kernel } = open();
  kernel.network.addAddress('lan', '10.1.0.1', 24);
  kernel.network.addAddress('lan', '10.1.0.254', 24);
  kernel.network.addAddress('lan', '10.1.0.253', 32);
  kernel.network.deleteAddress('10.1.0.1');
  expect(kernel.network.addressesOf('lan')).toEqual(['10.1.0.253']);
});

test('an interface that goes takes its addresses along', async () => {
  const { kernel, events, time, ports } = open();
  kernel.network.addAddress('lan', '10.1.0.254', 24);
  kernel.network.removeLink('lan');
  await time.advance(secondsOf(0));
  expect(events).toEqual(['address', 'link', 'addressGone', 'linkGone']);
  expect(ports.watch.links()).toEqual([]);
});

test('down takes the IPv6 addresses, and leaves the IPv4 ones', () => {
  const { kernel } = open();
  kernel.network.addAddress('lan', '10.1.0.254', 24);
  kernel.network.addAddress('lan', 'fd00::254', 64);
  kernel.network.setUp('lan', false);
  expect(kernel.network.addressesOf('lan')).toEqual(['10.1.0.254']);
  expect(kernel.network.isUsable('lan')).toBe(false);
});

test('a thread that ended hears nothing, and is never answered', async () => {
  const { kernel, thread, events, ports, time } = open();
  let isAnswered = false;
  void ports.control.addAddress(vip).then(() => (isAnswered = true));
  kernel.closeSocketsOf(thread);
  await time.advance(secondsOf(1));
  expect([events, isAnswered]).toEqual([[], false]);
  expect(kernel.network.hasAddress('10.1.0.254')).toBe(true);
});
