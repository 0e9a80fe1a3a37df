/**
 * A million conntrack events into a socket with a 4 MiB buffer whose reader stalls now and then:
 * overruns are reported, everything received is counted, and receiving goes on.
 */
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { errnoName } from '../../../src/base/errno.js';
import { requireDone } from '../../../src/net/socket/outcome.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import { AF_NETLINK, SOCK_RAW, netlinkSocketAddress } from '../../../src/net/socket/sockaddr.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';

jest.setTimeout(300_000);

/** NETLINK_NETFILTER; groups NEW, UPDATE, DESTROY; SO_RCVBUFFORCE, SO_RCVBUF. */
const netlinkNetfilter = 12;
const allFlowGroups = 7;
const receiveBufferForce = 33;
const receiveBuffer = 8;

const rounds = process.env['KEEPSTATE_FULL'] === '1' ? 50 : 5;
const flowsPerRound = 100_000;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(async () => {
  await lab.close();
});

function openEvents(host: Host): BatchedSocket {
  const opened = withNetworkNamespace(host.namespacePath, () =>
    BatchedSocket.open({
      domain: AF_NETLINK,
      type: SOCK_RAW,
      protocol: netlinkNetfilter,
      cells: 128,
      cellBytes: 1024,
    }),
  );
  if (opened.kind === 'refused') throw new Error(errnoName(opened.errno));
  const socket = opened.socket;
  // The kernel doubles the value.
  requireDone('buffer', socket.setIntOption(1, receiveBufferForce, 2 << 20));
  expect(socket.getIntOption(1, receiveBuffer)).toBe(4 << 20);
  requireDone('bind', socket.bind(netlinkSocketAddress(0, allFlowGroups)));
  return socket;
}

async function inject(host: Host, ...args: string[]): Promise<{ events: number; errors: object }> {
  const program = host.startTypescript('test/support/conntrack/injectFlows.ts', args);
  const code = await program.exited();
  if (code.code !== 0) throw new Error(program.output);
  return JSON.parse(program.stdout) as { events: number; errors: object };
}

test('a million events overrun the socket, are counted, and receiving goes on', async () => {
  const host = await lab.host('storm');
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
  const socket = openEvents(host);
  const seen = { created: 0, deleted: 0, other: 0, overruns: 0, errors: 0, batches: 0 };
  let stall = true;
  socket.startReceiving({
    onBatch: (count) => {
      seen.batches++;
      for (let i = 0; i < count; i++) {
        const type = socket.view.getUint16(i * socket.cellBytes + 4, true);
        if (type === 0x100) seen.created++;
        else if (type === 0x102) seen.deleted++;
        else seen.other++;
      }
      if (!stall) return;
      stall = false;
      // Another task of the thread takes long: the 3,276 events that fit arrive in about 10 ms.
      const end = performance.now() + 300;
      while (performance.now() < end);
    },
    onOverrun: () => seen.overruns++,
    onError: () => seen.errors++,
  });
  const storm = await inject(host, String(flowsPerRound), '--rounds', String(rounds));
  expect(storm.events).toBe(2 * rounds * flowsPerRound);
  expect(storm.errors).toEqual({});
  expect(seen.overruns).toBeGreaterThan(0);
  expect(seen).toMatchObject({ other: 0, errors: 0 });
  expect(seen.created).toBeGreaterThan(0);
  expect(seen.created + seen.deleted).toBeLessThan(storm.events);

  // Quiet again: what comes now arrives in full.
  let last = -1;
  await waitFor(() => {
    const settled = last === seen.batches;
    last = seen.batches;
    return settled;
  });
  const before = { ...seen };
  await inject(host, '1000', '--keep');
  await waitFor(() => seen.created - before.created === 1000, { description: '1000 events' });
  expect(seen.overruns).toBe(before.overruns);
  socket.close();
}, 300_000);

test('a filter that rejects everything is attached and detached while events flow', async () => {
  const host = await lab.host('filter');
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
  const socket = openEvents(host);
  // BPF_RET | BPF_K, 0: keep nothing.
  expect(socket.attachFilter(Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0))).toBe(0);
  await inject(host, '100', '--keep');
  expect(socket.receive()).toBe(0);
  expect(socket.detachFilter()).toBe(0);
  await inject(host, '100', '--keep', '--base', '100');
  expect(socket.receive()).toBe(100);
  socket.close();
});

test('ten sockets of one thread each get every event', async () => {
  const host = await lab.host('many');
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
  const sockets = Array.from({ length: 10 }, () => openEvents(host));
  const counts = sockets.map(() => 0);
  sockets.forEach((socket, i) => {
    socket.startReceiving({
      onBatch: (count) => (counts[i]! += count),
      onOverrun: () => (counts[i] = NaN),
      onError: () => (counts[i] = NaN),
    });
  });
  await inject(host, '2000', '--keep');
  await waitFor(() => counts.every((count) => count === 2000));
  for (const socket of sockets) socket.close();
});
