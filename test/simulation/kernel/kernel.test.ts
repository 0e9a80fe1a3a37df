/**
 * The sockets and flows of the product on the model, and the life of a flow that no recording
 * shows.
 */
import { KernelCount } from '../../../src/conntrack/kernel/kernelCount.js';
import {
  KernelEvents,
  type KernelEventHandler,
} from '../../../src/conntrack/kernel/kernelEvents.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { openLab, secondsOf, tcp, udp, type KernelLab } from './lab.js';
import { enterThread } from './simulatedAddon.js';
import { statefulRuleset } from './statefulRuleset.js';

const flow = udp('10.1.0.2', 2000, '10.2.0.9', 53);

interface Heard {
  readonly events: KernelEvents;
  readonly kinds: string[];
  overruns: number;
}

/** The event reader of the product, in the thread that was entered. */
function listen(options: { bufferBytes?: number; reliable?: boolean } = {}): Heard {
  const kinds: string[] = [];
  const handler: KernelEventHandler = {
    flow: (kind) => void kinds.push(kind),
    expectation: () => undefined,
    overrun: () => (heard.overruns += 1),
    malformed: (error) => {
      throw error;
    },
    failed: (errno) => {
      throw new Error(`errno ${errno}`);
    },
  };
  const { bufferBytes = 1 << 20, reliable = false } = options;
  const limits = { bufferBytes, maxBufferBytes: bufferBytes, reliable, expectations: false };
  const events = new KernelEvents({ names: new NameTable(), ...limits }, handler);
  const heard: Heard = { events, kinds, overruns: 0 };
  events.start();
  return heard;
}

const begin = ({ kernel }: KernelLab, port: number) =>
  kernel.packet({ tuple: udp('10.1.0.2', port, '10.2.0.9', 53), input: 'lan' });

test('a flow that runs out ends with an event within a minute, and until then counts', async () => {
  const { kernel, time } = openLab();
  const heard = listen();
  kernel.packet({ tuple: flow, input: 'lan' });
  await time.advance(secondsOf(30));
  expect([...kernel.flows()]).toEqual([]);
  expect(kernel.count).toBe(1);
  await time.advance(secondsOf(60));
  expect(kernel.count).toBe(0);
  expect(heard.kinds).toEqual(['new', 'destroy']);
});

test('a kernel in which nothing ends has no timer', async () => {
  const lab = openLab();
  begin(lab, 1);
  await lab.time.advance(secondsOf(100));
  expect(lab.kernel.count).toBe(0);
  expect(lab.time.armed).toBe(0);
});

test('a packet that the rules drop leaves no flow, and its memory is free', () => {
  const { kernel } = openLab({ ruleset: statefulRuleset({ inside: ['lan'] }) });
  const verdict = kernel.packet({ tuple: flow, input: 'wan' });
  expect(verdict).toEqual({ kind: 'dropped', because: 'ruleset', state: 'NEW' });
  expect(kernel.count).toBe(0);
});

test('events wake the thread of their socket, and only that', async () => {
  const lab = openLab();
  const heard = listen();
  begin(lab, 1);
  expect(heard.kinds).toEqual([]);
  await lab.time.advance(secondsOf(0));
  expect(heard.kinds).toEqual(['new']);
});

test('an overrun is noticed by the reader of the product', async () => {
  const lab = openLab();
  const heard = listen({ bufferBytes: 8_192 });
  for (let port = 1; port <= 20; port++) begin(lab, port);
  await lab.time.advance(secondsOf(0));
  expect(heard.kinds).toHaveLength(6);
  expect(heard.overruns).toBe(1);
});

test('a listener that stalls in reliable mode keeps ended flows in memory until it reads', async () => {
  const lab = openLab();
  const heard = listen({ bufferBytes: 8_192, reliable: true });
  heard.events.pause();
  for (let port = 1; port <= 6; port++) begin(lab, port);
  lab.kernel.flush();
  await lab.time.advance(secondsOf(1));
  expect(lab.kernel.count).toBe(6);
  expect([...lab.kernel.flows()]).toEqual([]);
  heard.events.start();
  await lab.time.advance(secondsOf(1));
  expect(lab.kernel.count).toBe(0);
  expect(heard.kinds.filter((kind) => kind === 'destroy')).toHaveLength(6);
});

test('a process that died hears nothing, and its kernel goes on', async () => {
  const lab = openLab();
  const heard = listen();
  lab.kernel.closeSocketsOf(lab.thread);
  begin(lab, 1);
  await lab.time.advance(secondsOf(0));
  expect(heard.kinds).toEqual([]);
  expect(lab.kernel.count).toBe(1);
});

test('a flow that began while nobody listened makes no event later, unless events are set to 1', () => {
  const lab = openLab();
  begin(lab, 1);
  lab.kernel.sysctls.events = 1;
  begin(lab, 2);
  const heard = listen();
  lab.kernel.flush();
  heard.events.drain();
  expect(heard.kinds).toEqual(['destroy']);
});

test('the next boot has an empty table, and nothing of the last one rings', async () => {
  const lab = openLab();
  listen();
  begin(lab, 1);
  lab.kernel.powerOff();
  await lab.time.advance(secondsOf(0));
  expect(lab.time.armed).toBe(0);
});

test('a flow that is made anew in the memory of its like has the id of before', () => {
  const lab = openLab();
  begin(lab, 1);
  const before = [...lab.kernel.flows()].map(({ id }) => id);
  lab.kernel.flush();
  begin(lab, 1);
  expect([...lab.kernel.flows()].map(({ id }) => id)).toEqual(before);
});

test('two kernels in one process are two namespaces', () => {
  const first = openLab();
  const second = openLab();
  begin(first, 1);
  enterThread(first.thread);
  expect(new KernelCount().read()).toBe(1);
  enterThread(second.thread);
  expect(new KernelCount().read()).toBe(0);
});

test('masqueraded flows end with their address, others stay', () => {
  const sourceNat = { address: '10.2.0.254', masqueradeInterface: 'wan' };
  const lab = openLab({ ruleset: statefulRuleset({ inside: ['lan'], sourceNat }) });
  lab.kernel.network.addLink('wan');
  lab.kernel.network.addAddress('wan', '10.2.0.254', 24);
  begin(lab, 1);
  lab.kernel.ruleset = statefulRuleset({ inside: ['lan'] });
  begin(lab, 2);
  lab.kernel.network.deleteAddress('10.2.0.254');
  expect([...lab.kernel.flows()].map(({ original }) => original.sourcePort)).toEqual([2]);
});

test('a packet of an unknown connection is INVALID where tcp_loose is 0', () => {
  const lab = openLab({
    ruleset: statefulRuleset({ inside: ['lan'] }),
    sysctls: { tcpLoose: false },
  });
  const verdict = lab.kernel.packet({
    tuple: tcp('10.1.0.2', 1000, '10.2.0.9', 80),
    input: 'lan',
    tcpFlags: 0x10,
  });
  expect(verdict).toEqual({ kind: 'dropped', because: 'ruleset', state: 'INVALID' });
});
