/**
 * Forwards frames between the interfaces `left` and `right` of its network namespace. Argument: the
 * seed. Reads JSON lines: {"set":{"toRight":{…},"toLeft":{…}}} or {"counts":true}; answers each
 * with one line.
 */
import { createInterface } from 'node:readline';
import { requireDone } from '../../src/net/socket/outcome.js';
import { BatchedSocket } from '../../src/net/socket/batchedSocket.js';
import { interfaceIndex } from '../../src/net/socket/interfaceQuery.js';
import { AF_PACKET, packetSocketAddress, SOCK_RAW } from '../../src/net/socket/sockaddr.js';
import { Impairment, type Copy, type Impairments } from './impairment.js';

/** linux/if_packet.h, linux/if_ether.h, socket(7). */
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_PROMISC = 1;
const ETH_P_ALL = 3;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_SNDBUFFORCE = 32;
/** A bundle of segments has up to 64 KiB, and the headers. */
const cellBytes = 65_696;
const longestHoldMilliseconds = 50;

interface Request {
  readonly set?: { readonly toRight?: Impairments; readonly toLeft?: Impairments };
  readonly counts?: boolean;
}

function openInterface(name: string): BatchedSocket {
  const opened = BatchedSocket.open({
    domain: AF_PACKET,
    type: SOCK_RAW,
    // Nothing arrives before bind names protocol and interface.
    protocol: 0,
    cells: 64,
    cellBytes,
  });
  if (opened.kind === 'refused') throw new Error(`packet socket: errno ${opened.errno}`);
  const { socket } = opened;
  const answer = interfaceIndex(socket, name);
  if (answer.kind === 'refused') throw new Error(`index of ${name}: errno ${answer.errno}`);
  const index = answer.value;
  const membership = new Uint8Array(16);
  const view = new DataView(membership.buffer);
  view.setInt32(0, index, true);
  view.setUint16(4, PACKET_MR_PROMISC, true);
  socket.setIntOption(SOL_SOCKET, SO_RCVBUFFORCE, 16 * 1024 * 1024);
  socket.setIntOption(SOL_SOCKET, SO_SNDBUFFORCE, 16 * 1024 * 1024);
  requireDone('vnet header', socket.setIntOption(SOL_PACKET, PACKET_VNET_HDR, 1));
  requireDone('ignore outgoing', socket.setIntOption(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1));
  requireDone('promiscuous', socket.setOption(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership));
  requireDone(`bind to ${name}`, socket.bind(packetSocketAddress(ETH_P_ALL, index)));
  return socket;
}

interface Held {
  readonly bytes: Uint8Array;
  left: number;
  isSent: boolean;
}

/** From one interface to the other. */
class Direction {
  readonly impairment: Impairment;
  readonly #output: BatchedSocket;
  #held: Held[] = [];

  constructor(input: BatchedSocket, output: BatchedSocket, seed: number) {
    this.impairment = new Impairment(seed);
    this.#output = output;
    const errno = input.startReceiving({
      onBatch: (count) => {
        for (let i = 0; i < count; i++) this.#forward(input.datagram(i));
      },
      onOverrun: () => undefined,
      onError: () => undefined,
    });
    requireDone('receive frames', errno);
  }

  #forward(frame: Uint8Array): void {
    const copies = this.impairment.decide(frame);
    for (const copy of copies) this.#schedule(copy);
    if (copies.some((copy) => copy.afterFrames === 0)) this.#passed();
  }

  #schedule(copy: Copy): void {
    if (copy.afterFrames > 0) {
      const held: Held = { bytes: copy.bytes, left: copy.afterFrames, isSent: false };
      this.#held.push(held);
      setTimeout(() => {
        this.#release(held);
      }, longestHoldMilliseconds);
    } else if (copy.delayMilliseconds > 0) {
      setTimeout(() => {
        this.#output.send(copy.bytes);
      }, copy.delayMilliseconds);
    } else {
      this.#output.send(copy.bytes);
    }
  }

  #passed(): void {
    for (const held of this.#held) {
      held.left--;
      if (held.left <= 0) this.#release(held);
    }
    this.#held = this.#held.filter((held) => !held.isSent);
  }

  #release(held: Held): void {
    if (held.isSent) return;
    held.isSent = true;
    this.#output.send(held.bytes);
  }
}

function main(): void {
  const seed = Number(process.argv[2] ?? 1);
  const left = openInterface('left');
  const right = openInterface('right');
  const toRight = new Direction(left, right, seed);
  const toLeft = new Direction(right, left, seed ^ 0x5bd1e995);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const request = JSON.parse(line) as Request;
    if (request.set?.toRight !== undefined) toRight.impairment.settings = request.set.toRight;
    if (request.set?.toLeft !== undefined) toLeft.impairment.settings = request.set.toLeft;
    const counts = { toRight: toRight.impairment.counts, toLeft: toLeft.impairment.counts };
    process.stdout.write(`${JSON.stringify(counts)}\n`);
  });
  process.stdout.write('{"ready":true}\n');
}

main();
