/**
 * The native socket at its edges: workers that end or fail in the middle of a batch, garbage
 * collection.
 */
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { parseIp } from '../../../src/base/ipAddress.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { AF_INET, SOCK_DGRAM, ipSocketAddress } from '../../../src/net/socket/sockaddr.js';
import { waitFor } from '../../lab/waitFor.js';
import { builtPath } from '../../support/net/nativePath.js';

/**
 * A worker with four receiving sockets. Posts the address of the first, then its count per batch.
 */
const script = (onBatch: string): string => `
  const { parentPort } = require('node:worker_threads');
  const addon = require(${JSON.stringify(builtPath())});
  const loopback = Uint8Array.of(2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  const sockets = [0, 1, 2, 3].map((rest) => {
    const socket = new addon.NativeSocket(addon.openSocket(2, 2, 0));
    socket.setRing(new ArrayBuffer(64 * (64 + 32 + 16)), 64, 64, 0);
    socket.bind(loopback);
    socket.start((count) => { ${onBatch} }, true, false, 2000, rest);
    return socket;
  });
  const address = new Uint8Array(16);
  sockets[0].getSocketName(address);
  parentPort.postMessage(address);
`;

function openSender(): BatchedSocket {
  const opened = BatchedSocket.open({ domain: AF_INET, type: SOCK_DGRAM, protocol: 0 });
  if (opened.kind === 'refused') throw new Error(String(opened.errno));
  return opened.socket;
}

async function startWorker(onBatch: string): Promise<{ worker: Worker; address: Uint8Array }> {
  const worker = new Worker(script(onBatch), { eval: true });
  const address = await new Promise<Uint8Array>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, address };
}

test('a worker is ended again and again while batches arrive', async () => {
  const sender = openSender();
  for (let round = 0; round < 10; round++) {
    const { worker, address } = await startWorker('parentPort.postMessage(count);');
    let received = 0;
    worker.on('message', (count: number) => (received += count));
    const flooding = new AbortController();
    const flood = (async () => {
      while (!flooding.signal.aborted) {
        for (let i = 0; i < 100; i++) sender.send(new Uint8Array(8), address);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await waitFor(() => received > 100, { interval: 1 });
    await worker.terminate();
    flooding.abort();
    await flood;
  }
  sender.close();
}, 60_000);

test('what a callback throws reaches the worker as an uncaught error, once', async () => {
  const sender = openSender();
  const { worker, address } = await startWorker('throw new Error("from the callback");');
  const errors: unknown[] = [];
  worker.on('error', (error) => errors.push(error));
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  for (let i = 0; i < 200; i++) sender.send(new Uint8Array(8), address);
  expect(await exited).toBe(1);
  expect(errors.map(String)).toEqual(['Error: from the callback']);
  sender.close();
});

test('a socket that nobody holds is collected and closes its descriptor', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  (() => {
    for (let i = 0; i < 200; i++) openSender();
  })();
  expect(descriptors()).toBeGreaterThanOrEqual(before + 100);
  await waitFor(() => {
    collect();
    return descriptors() < before + 20;
  });
});

test('a socket that receives is kept alive without a reference to it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sender = openSender();
  let received = 0;
  let stop = (): void => undefined;
  const address = (() => {
    const opened = BatchedSocket.open({
      domain: AF_INET,
      type: SOCK_DGRAM,
      protocol: 0,
      cells: 4,
      cellBytes: 64,
    });
    if (opened.kind === 'refused') throw new Error(String(opened.errno));
    const { socket } = opened;
    socket.bind(ipSocketAddress(parseIp('127.0.0.1')!, 0));
    const local = socket.localAddress()!;
    socket.startReceiving({
      onBatch: (count) => {
        received += count;
        stop = () => socket.close();
      },
      onOverrun: () => undefined,
      onError: () => undefined,
    });
    return local;
  })();
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  sender.send(new Uint8Array(1), address);
  await waitFor(() => received === 1);
  stop();
  sender.close();
});
