/**
 * A stranger on the sync network that speaks for the peer, from the network namespace it is started
 * in:
 *
 *   syncAttack ATTACK SOURCE TARGET TTL SECONDS [SEQUENCE]
 *
 * SOURCE is an address of the namespace, be it borrowed from the peer. `role`: offers the role,
 * then says that it resigned. `plant`: begins a stream, tells a flow, and says that it gave way.
 * `numbers`: streams with jumping numbers and ends of bulks. `alive`: one message far ahead of
 * number SEQUENCE. `flow`: a stream with one flow. Prints one line of JSON: {sent}.
 */
import { createSocket } from 'node:dgram';

const [attack = '', source = '', target = '', ttl = '255', seconds = '1', sequence = '0'] =
  process.argv.slice(2);
const syncPort = 3_780;
const peerPort = 3_781;

/** An established TCP flow 203.0.113.66:1 -> 203.0.113.67:2, with HELLO. */
const flow = Buffer.from(
  '1020003c' +
    '00000000' +
    '000c0000cb007142cb007143' +
    '000800050000000e' +
    '0005000206000000' +
    '0008000300010002' +
    '0005000403000000' +
    '0008000600000e10',
  'hex',
);
/** ALIVE, with HELLO where a stream is to begin. */
const alive = (number: number, hello: boolean): Buffer => {
  const bytes = Buffer.from('1a10000800000000', 'hex');
  if (hello) bytes[1] = 0x30;
  bytes.writeUInt32BE(number >>> 0, 4);
  return bytes;
};
const told = (number: number): Buffer => {
  const bytes = Buffer.from(flow);
  bytes.writeUInt32BE(number >>> 0, 4);
  return bytes;
};
const said = (message: object): Buffer => Buffer.from(`KSP1${JSON.stringify(message)}`);

const round = { count: 0 };
let sent = 0;
const socket = createSocket('udp4');

function send(bytes: Buffer, port: number): void {
  sent++;
  // Towards an address without an answer, and from one that is no longer there, it may fail.
  socket.send(bytes, port, target, () => undefined);
}

const hello = said({ kind: 'hello', name: 'fw1', version: '0.1.0', heard: true });

function strike(): void {
  const { count } = round;
  const number = (0x1000_0000 + count * 0x0123_4567) >>> 0;
  switch (attack) {
    case 'role':
      // A token for a second, so that the commit in advance can end.
      send(hello, peerPort);
      send(said({ kind: 'offer', token: Math.floor(count / 10) }), peerPort);
      if (count % 10 > 4) {
        send(said({ kind: 'resigned', token: Math.floor(count / 10) }), peerPort);
      }
      break;
    case 'plant':
      send(told(number), syncPort);
      send(hello, peerPort);
      send(said({ kind: 'yielded', token: count, masterMs: 3_000, agoMs: 10 }), peerPort);
      break;
    case 'numbers':
      send(alive(number, true), syncPort);
      send(hello, peerPort);
      send(said({ kind: 'bulkEnd', since: number, sequence: number + 1, entries: 0 }), peerPort);
      break;
    case 'alive':
      send(alive(Number(sequence) + (1 << 19), false), syncPort);
      break;
    case 'flow':
    default:
      send(told(number), syncPort);
  }
  round.count++;
}

socket.bind(0, source, () => {
  socket.setTTL(Number(ttl));
  const timer = setInterval(strike, 100);
  setTimeout(
    () => {
      clearInterval(timer);
      socket.close();
      process.stdout.write(`${JSON.stringify({ sent })}\n`);
    },
    Number(seconds) * 1_000,
  );
});
