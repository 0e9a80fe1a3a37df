/**
 * Throws hostile datagrams at a replication port, from the network namespace it is started in:
 *
 *   syncJunk ADDRESS PORT SECONDS PER_SECOND [SEED]
 *
 * Random bytes, headers with absurd lengths, attributes that run past their message, cut and
 * flipped copies of a real message, and old numbers again. Prints one line of JSON: {sent,
 * refused}.
 */
import { createSocket } from 'node:dgram';
import { seededRandom } from '../../lab/impairment.js';

const [address = '', port = '', seconds = '1', perSecond = '10000', seed = '1'] =
  process.argv.slice(2);
const random = seededRandom(Number(seed));
const below = (limit: number): number => Math.floor(random() * limit);

/** TCP 203.0.113.66:1 -> 203.0.113.67:2 in conntrackd's format, with HELLO clear. */
const flow = Buffer.from(
  '1000003c' +
    '00000001' +
    '000c0000cb007142cb007143' +
    '000800050000000e' +
    '0005000206000000' +
    '0008000300010002' +
    '0005000403000000' +
    '0008000600000e10',
  'hex',
);

/** None of these is a whole, readable message with a number that the receiver may accept. */
const kinds: readonly (() => Buffer)[] = [
  () => {
    const bytes = Buffer.from(Array.from({ length: 1 + below(200) }, () => below(256)));
    // Never version 1.
    bytes[0] = (bytes[0] ?? 0) | 0x80;
    return bytes;
  },
  () => {
    // A version of the future.
    const bytes = Buffer.from(flow);
    bytes[0] = 0x20;
    return bytes;
  },
  // Whole, with a number from long ago.
  () => flow,
  () => flow.subarray(0, 1 + below(flow.length - 1)),
  () => {
    const bytes = Buffer.from(flow);
    bytes.writeUInt16BE(61 + below(65_000), 2);
    return bytes;
  },
  () => {
    const bytes = Buffer.from(flow);
    bytes.writeUInt16BE(0, 2);
    return bytes;
  },
  () => {
    // An unused type or a flag that is never sent.
    const bytes = Buffer.from(flow);
    bytes[0] = 0x16 + below(4);
    return bytes;
  },
  () => {
    const bytes = Buffer.from(flow);
    bytes[1] = 0x81;
    return bytes;
  },
];

const socket = createSocket('udp4');
let sent = 0;
let refused = 0;
const startedAt = performance.now();

function burst(): void {
  const elapsed = performance.now() - startedAt;
  if (elapsed >= Number(seconds) * 1_000) {
    socket.close();
    process.stdout.write(`${JSON.stringify({ sent, refused })}\n`);
    return;
  }
  const due = Math.min((elapsed / 1_000) * Number(perSecond) - sent, 500);
  let pending = 1;
  const done = (error?: Error | null): void => {
    if (error) refused++;
    if (--pending === 0) setImmediate(burst);
  };
  for (let i = 0; i < due; i++) {
    pending++;
    sent++;
    socket.send((kinds[sent % kinds.length] ?? kinds[0])!(), Number(port), address, done);
  }
  done();
}
socket.bind(0, () => {
  // As the peer's, so that it is no reason to refuse them.
  socket.setTTL(255);
  burst();
});
