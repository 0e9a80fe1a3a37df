import { Worker } from 'node:worker_threads';
import {
  BatchedSocket,
  messageTruncated,
  type ReceivePace,
} from '../../../src/net/socket/batchedSocket.js';
import { EAGAIN, EBADF, ECONNREFUSED, EINVAL, EPERM } from '../../../src/base/errno.js';
import { nativeAddon } from '../../../src/net/native/load.js';
import {
  AF_INET,
  AF_UNIX,
  SOCK_DGRAM,
  decodeIpSocketAddress,
  ipSocketAddress,
  unixSocketAddress,
} from '../../../src/net/socket/sockaddr.js';
import { parseIp } from '../../../src/base/ipAddress.js';
import { builtPath } from '../../support/net/nativePath.js';
import { waitFor } from '../../lab/waitFor.js';

const loopback = parseIp('127.0.0.1')!;
const open: BatchedSocket[] = [];

function udp(cells = 8, cellBytes = 64): BatchedSocket {
  const opened = BatchedSocket.open({
    domain: AF_INET,
    type: SOCK_DGRAM,
    protocol: 0,
    cells,
    cellBytes,
  });
  if (opened.kind === 'refused') throw new Error(`refused ${opened.errno}`);
  open.push(opened.socket);
  return opened.socket;
}

function boundUdp(cells?: number, cellBytes?: number): { socket: BatchedSocket; at: Uint8Array } {
  const socket = udp(cells, cellBytes);
  expect(socket.bind(ipSocketAddress(loopback, 0))).toBe(0);
  return { socket, at: socket.localAddress()! };
}

const until = (condition: () => boolean): Promise<true> => waitFor(condition, { interval: 2 });

const quiet = { onBatch: () => undefined, onOverrun: () => undefined, onError: () => undefined };

afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

describe('batched socket', () => {
  test('one batch carries several datagrams with their senders and lengths', () => {
    const { socket, at } = boundUdp();
    const sender = boundUdp();
    for (const text of ['a', 'bcd', '']) {
      expect(sender.socket.send(Buffer.from(text), at)).toBe(0);
    }
    expect(socket.receive()).toBe(3);
    expect([0, 1, 2].map((i) => Buffer.from(socket.datagram(i)).toString())).toEqual([
      'a',
      'bcd',
      '',
    ]);
    expect(decodeIpSocketAddress(socket.senderAddress(1))).toEqual(
      decodeIpSocketAddress(sender.at),
    );
    expect(socket.receive()).toBe(0);
  });

  test('a datagram longer than its cell is cut and flagged', () => {
    const { socket, at } = boundUdp(2, 8);
    const sender = udp();
    sender.send(Buffer.from('0123456789'), at);
    sender.send(Buffer.from('01234567'), at);
    expect(socket.receive()).toBe(2);
    expect(socket.lengths[0]).toBe(8);
    expect(socket.flags[0]! & messageTruncated).not.toBe(0);
    expect(socket.flags[1]! & messageTruncated).toBe(0);
  });

  test('a refusal is an errno, never an exception', () => {
    const socket = udp();
    expect(BatchedSocket.open({ domain: 999, type: SOCK_DGRAM, protocol: 0 }).kind).toBe('refused');
    expect(socket.bind(ipSocketAddress(parseIp('192.0.2.1')!, 0))).not.toBe(0);
    expect(socket.setOption(1, 9999, new Uint8Array(4))).not.toBe(0);
    expect(socket.getIntOption(1, 9999)).toBeUndefined();
    expect(socket.attachFilter(new Uint8Array(7))).toBe(EINVAL);
    expect(socket.ioctl(0x8933, new Uint8Array(4))).toBe(EINVAL);
    expect(socket.send(new Uint8Array(4), undefined, 2, 3)).toBe(EINVAL);
    expect([EPERM, EINVAL]).toContain(socket.connect(new Uint8Array(1)));
  });

  test.each([
    ['SO_ATTACH_FILTER', 26],
    ['SO_ATTACH_REUSEPORT_CBPF', 51],
  ])('%s, whose value points to a program, is not set from bytes', (_name, option) => {
    const socket = udp();
    // struct sock_fprog of one instruction at an address that is none: the kernel would say EFAULT.
    const program = new Uint8Array(16);
    program.set([1, 0, 0, 0, 0, 0, 0, 0, 0, 0x10]);
    expect(socket.setOption(1, option, program)).toBe(EINVAL);
  });

  test('SO_GET_FILTER, whose length counts instructions, writes nothing behind the memory given', () => {
    const socket = udp();
    const instructions = 4;
    const accept = Uint8Array.from([0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    const program = new Uint8Array(8 * instructions);
    for (let i = 0; i < instructions; i++) program.set(accept, 8 * i);
    expect(socket.attachFilter(program)).toBe(0);
    const memory = new Uint8Array(8 * instructions);
    expect(socket.getOption(1, 26, memory.subarray(0, instructions))).toBe(-EINVAL);
    expect(memory).toEqual(new Uint8Array(memory.length));
  });

  test('options are set and read back', () => {
    const socket = udp();
    expect(socket.setIntOption(1, 2, 1)).toBe(0);
    expect(socket.getIntOption(1, 2)).toBe(1);
  });

  test('sendMany sends what lies at the offsets and tells how far it came', () => {
    const { socket, at } = boundUdp(300, 8);
    const sender = udp();
    const count = 200;
    const bytes = Uint8Array.from({ length: count }, (_, i) => i);
    const offsets = Uint32Array.from(bytes);
    const lengths = new Uint32Array(count).fill(1);
    expect(sender.sendMany(bytes, offsets, lengths, count, at)).toBe(count);
    expect(sender.sendErrno).toBe(0);
    expect(socket.receive()).toBe(count);
    expect(Array.from({ length: count }, (_, i) => socket.bytes[i * 8])).toEqual([...bytes]);
    lengths[3] = 1000;
    expect(sender.sendMany(bytes, offsets, lengths, count, at)).toBe(0);
    expect(sender.sendErrno).toBe(EINVAL);
  });

  test('sendMany without a destination stops with the errno', () => {
    const sender = udp();
    const sent = sender.sendMany(new Uint8Array(8), new Uint32Array(2), new Uint32Array(2), 2);
    expect(sent).toBe(0);
    expect(sender.sendErrno).not.toBe(0);
  });

  test('receiving calls back per batch until it is stopped, and resumes', async () => {
    const { socket, at } = boundUdp(4, 16);
    const sender = udp();
    const batches: number[] = [];
    const handler = { ...quiet, onBatch: (count: number) => void batches.push(count) };
    const total = (): number => batches.reduce((sum, count) => sum + count, 0);
    expect(socket.startReceiving(handler)).toBe(0);
    for (let i = 0; i < 10; i++) sender.send(Buffer.from([i]), at);
    await until(() => total() === 10);
    expect(Math.max(...batches)).toBeLessThanOrEqual(4);
    socket.stopReceiving();
    sender.send(Buffer.from([1]), at);
    await new Promise((resolve) => setImmediate(resolve));
    expect(total()).toBe(10);
    socket.startReceiving(handler);
    await until(() => total() === 11);
  });

  describe('with a rest', () => {
    /** A socket that rests as `pace` says; `trickle` sends datagrams one per turn. */
    function resting(pace: ReceivePace): {
      readonly batches: number[];
      readonly total: () => number;
      readonly trickle: (count: number) => Promise<void>;
    } {
      const { socket, at } = boundUdp(64, 16);
      const sender = udp();
      const batches: number[] = [];
      socket.startReceiving({ ...quiet, onBatch: (count) => void batches.push(count) }, pace);
      return {
        batches,
        total: () => batches.reduce((sum, count) => sum + count, 0),
        trickle: async (count) => {
          for (let i = 0; i < count; i++) {
            sender.send(Buffer.from('x'), at);
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
      };
    }

    test('a lone datagram comes at once and a stream comes in few batches', async () => {
      const { batches, total, trickle } = resting({ restMilliseconds: 20 });
      await trickle(1);
      await until(() => total() === 1);
      await trickle(50);
      await until(() => total() === 51);
      expect(batches.length).toBeLessThan(25);
      // After a rest in which nothing came, the socket listens again.
      await new Promise((resolve) => setTimeout(resolve, 50));
      await trickle(1);
      await until(() => total() === 52);
    });

    test('that follows light batches alone, a trickle comes in few batches', async () => {
      const pace = { restMilliseconds: 0, lightRestMilliseconds: 20 };
      const { batches, total, trickle } = resting(pace);
      await trickle(50);
      await until(() => total() === 50);
      expect(batches.length).toBeLessThan(25);
    });
  });

  test('a socket that rests can be stopped, resumed and closed', async () => {
    const { socket, at } = boundUdp(4, 16);
    const sender = udp();
    let received = 0;
    const handler = { ...quiet, onBatch: (count: number) => void (received += count) };
    socket.startReceiving(handler, { restMilliseconds: 5 });
    for (let i = 0; i < 20; i++) {
      sender.send(Buffer.from('x'), at);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.stopReceiving();
    const before = received;
    sender.send(Buffer.from('x'), at);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(received).toBe(before);
    socket.startReceiving(handler, { restMilliseconds: 5 });
    await until(() => received === 21);
    socket.close();
  });

  test('an ICMP error arrives as an errno and receiving goes on', async () => {
    const { socket } = boundUdp();
    const gone = boundUdp();
    const goneAt = gone.at;
    gone.socket.close();
    expect(socket.connect(goneAt)).toBe(0);
    const errors: number[] = [];
    let received = 0;
    socket.startReceiving({
      ...quiet,
      onBatch: (count) => (received += count),
      onError: (errno) => void errors.push(errno),
    });
    expect(socket.send(Buffer.from('x'))).toBe(0);
    await until(() => errors.length > 0);
    expect(errors[0]).toBe(ECONNREFUSED);
    const back = udp();
    expect(back.bind(goneAt)).toBe(0);
    back.send(Buffer.from('y'), socket.localAddress());
    await until(() => received === 1);
  });

  test('closing inside the callback is safe and nothing is delivered after it', async () => {
    const { socket, at } = boundUdp(1, 16);
    const sender = udp();
    let calls = 0;
    socket.startReceiving({
      ...quiet,
      onBatch: () => {
        calls++;
        socket.close();
      },
    });
    for (let i = 0; i < 5; i++) sender.send(Buffer.from([i]), at);
    await until(() => calls > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(1);
    expect(socket.receive()).toBe(-EBADF);
    expect(socket.startReceiving(quiet)).toBe(EBADF);
    expect(socket.send(new Uint8Array(1), at)).toBe(EBADF);
    socket.close();
  });

  test('a full socket buffer is EAGAIN, and onceWritable tells when there is room', async () => {
    const path = `@keepstate-${process.pid}-full`;
    const unix = (cells: number): BatchedSocket => {
      const opened = BatchedSocket.open({
        domain: AF_UNIX,
        type: SOCK_DGRAM,
        protocol: 0,
        cells,
        cellBytes: 1024,
      });
      if (opened.kind === 'refused') throw new Error(`refused ${opened.errno}`);
      open.push(opened.socket);
      return opened.socket;
    };
    const receiver = unix(64);
    const sender = unix(1);
    expect(receiver.bind(unixSocketAddress(path))).toBe(0);
    expect(sender.connect(unixSocketAddress(path))).toBe(0);
    let errno = 0;
    for (let i = 0; i < 100_000 && errno === 0; i++) errno = sender.send(new Uint8Array(1000));
    expect(errno).toBe(EAGAIN);
    let writable = 0;
    expect(sender.onceWritable(() => writable++)).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(writable).toBe(0);
    while (receiver.receive() > 0);
    await until(() => writable === 1);
    expect(sender.send(new Uint8Array(1))).toBe(0);
  });

  test('ring memory cannot be moved to another thread', () => {
    const { socket } = boundUdp();
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(socket.bytes, [socket.bytes.buffer as ArrayBuffer]);
    } catch {
      // Node.js 20 copies the memory, later versions refuse.
    }
    expect(socket.bytes.byteLength).toBe(8 * 64);
    port1.close();
    port2.close();
    expect(socket.receive()).toBe(0);
  });

  test('a bad ring is refused by the native part', () => {
    const addon = nativeAddon();
    const native = new addon.NativeSocket(addon.openSocket(AF_INET, SOCK_DGRAM, 0));
    expect(native.setRing(new ArrayBuffer(10), 4, 64, 0, false)).toBe(EINVAL);
    expect(native.setRing(new ArrayBuffer(4096), 4, 7, 0, false)).toBe(EINVAL);
    expect(native.setRing(new ArrayBuffer(4096), 4, 64, 0, false)).toBe(0);
    expect(native.setRing(new ArrayBuffer(4096), 4, 64, 0, false)).toBe(EINVAL);
    native.close();
  });

  test('a worker that ends with sockets open takes nothing with it', async () => {
    const script = `
      const { parentPort } = require('node:worker_threads');
      const addon = require(${JSON.stringify(builtPath())});
      for (let i = 0; i < 20; i++) {
        const socket = new addon.NativeSocket(addon.openSocket(2, 2, 0));
        socket.setRing(new ArrayBuffer(4096), 4, 64, 0);
        if (i % 2 === 0) socket.start(() => undefined, true, false, 2000, i % 4);
      }
      parentPort.postMessage('ready');
      if (process.argv[2] === 'spin') for (;;) ;
    `;
    for (const mode of ['idle', 'spin']) {
      const worker = new Worker(script, { eval: true, argv: [mode] });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    }
  });

  test('closed sockets leave no descriptors behind', () => {
    const before = nativeAddon().openSocket(AF_INET, SOCK_DGRAM, 0);
    new (nativeAddon().NativeSocket)(before).close();
    for (let i = 0; i < 2000; i++) {
      const socket = udp(1, 8);
      expect(socket.startReceiving(quiet)).toBe(0);
      socket.close();
    }
    const after = nativeAddon().openSocket(AF_INET, SOCK_DGRAM, 0);
    new (nativeAddon().NativeSocket)(after).close();
    expect(after).toBeLessThan(before + 20);
  });
});
