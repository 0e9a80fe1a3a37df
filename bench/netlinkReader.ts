/**
 * A process that only receives conntrack events, for bench/netlink.ts:
 * `netlinkReader own|package BUFFER_BYTES [REST_MILLISECONDS]`. Reads length and type of each
 * message. Prints `ready`, and on SIGTERM one line of JSON.
 */
import { RawNetlinkSocket } from 'netlink';
import { BatchedSocket, type BatchHandler } from '../src/net/socket/batchedSocket.js';
import { requireDone } from '../src/net/socket/outcome.js';
import { AF_NETLINK, SOCK_RAW, netlinkSocketAddress } from '../src/net/socket/sockaddr.js';

/** NETLINK_NETFILTER; groups NEW, UPDATE, DESTROY; SO_RCVBUFFORCE. */
const netlinkNetfilter = 12;
const allFlowGroups = 7;
const receiveBufferForce = 33;

const seen = { events: 0, bytes: 0, created: 0, batches: 0, overruns: 0 };

function readWithOwnSocket(bufferBytes: number, restMilliseconds: number): () => void {
  const opened = BatchedSocket.open({
    domain: AF_NETLINK,
    type: SOCK_RAW,
    protocol: netlinkNetfilter,
    cells: 256,
    cellBytes: 1024,
  });
  if (opened.kind === 'refused') throw new Error(String(opened.errno));
  const socket = opened.socket;
  requireDone('buffer', socket.setIntOption(1, receiveBufferForce, bufferBytes));
  requireDone('bind', socket.bind(netlinkSocketAddress(0, allFlowGroups)));
  const { view, cellBytes } = socket;
  const handler: BatchHandler = {
    onBatch: (count) => {
      seen.batches++;
      for (let i = 0; i < count; i++) {
        seen.events++;
        seen.bytes += view.getUint32(i * cellBytes, true);
        if (view.getUint16(i * cellBytes + 4, true) === 0x100) seen.created++;
      }
    },
    onOverrun: () => seen.overruns++,
    onError: (errno) => process.stderr.write(`errno ${errno}\n`),
  };
  socket.startReceiving(handler, { restMilliseconds });
  return () => {
    socket.close();
  };
}

function readWithPackage(bufferBytes: number): () => void {
  const socket = new RawNetlinkSocket(netlinkNetfilter, {
    localGroups: allFlowGroups,
    messagePeeking: false,
    recvBufferSize: bufferBytes,
    sendBufferSize: 65_536,
  });
  socket.on('message', (message) => {
    seen.events++;
    seen.bytes += message.readUInt32LE(0);
    if (message.readUInt16LE(4) === 0x100) seen.created++;
  });
  return () => {
    socket.close();
  };
}

const [, , which, buffer, rest = '0'] = process.argv;
const close =
  which === 'package'
    ? readWithPackage(Number(buffer))
    : readWithOwnSocket(Number(buffer), Number(rest));
process.once('SIGTERM', () => {
  close();
  process.stdout.write(`${JSON.stringify(seen)}\n`);
});
process.stdout.write('ready\n');
