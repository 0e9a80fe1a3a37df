/**
 * A program that sends hostile replication datagrams. Arguments: own address, destination,
 * datagrams per second, seconds, kinds (commas). Prints how many left, as a JSON line.
 */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { AF_INET, ipSocketAddress, SOCK_DGRAM } from '../../../src/net/socket/sockaddr.js';
import { SeededRandom } from '../base/seededRandom.js';

export const hostileKinds = ['truncated', 'absurd', 'type', 'version', 'payload', 'state'] as const;
export type HostileKind = (typeof hostileKinds)[number];

const [, , own = '', to = '', rateText = '1', secondsText = '1', kindsText = ''] = process.argv;
const random = new SeededRandom(7);
const batch = 100;

/** CT_NEW of one UDP flow: what a stranger would like to plant. */
const plausible =
  '10000044' +
  '00000000' +
  '000c00000a630a010a630a02' +
  '000800050000000e' +
  '0005000211000000' +
  '000800030fa00035' +
  '000800060000012c' +
  '0008000700000000';

function datagram(kind: HostileKind): Buffer {
  const noise = Buffer.from(Array.from({ length: 60 }, () => random.below(256)));
  switch (kind) {
    case 'truncated':
      return noise.subarray(0, 1 + random.below(7));
    case 'absurd':
      noise.writeUInt32BE(0x1000_fff0);
      return noise;
    case 'type':
      noise.writeUInt32BE(0x1b00_003c);
      return noise;
    case 'version':
      noise.writeUInt32BE(0x2000_003c);
      return noise;
    case 'payload':
      // ACK and NACK of nothing: `to` before `from`.
      return Buffer.from('1a0c001000000001' + '0000000900000001', 'hex');
    case 'state':
    default:
      return Buffer.from(plausible, 'hex');
  }
}

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

const kinds = kindsText.split(',') as HostileKind[];
const opened = BatchedSocket.open({ domain: AF_INET, type: SOCK_DGRAM, protocol: 0 });
if (opened.kind === 'refused') throw new Error(`errno ${opened.errno}`);
const { socket } = opened;
const errno = socket.bind(ipSocketAddress(ip(own), 0));
if (errno !== 0) throw new Error(`bind: errno ${errno}`);
const address = ipSocketAddress(ip(to), 3_780);
const frames = Array.from({ length: 1_000 }, (_, i) => datagram(kinds[i % kinds.length] ?? 'type'));
const bytes = Buffer.concat(frames);
const lengths = Uint32Array.from(frames, (frame) => frame.length);
const offsets = new Uint32Array(frames.length);
for (let i = 1; i < frames.length; i++) offsets[i] = (offsets[i - 1] ?? 0) + (lengths[i - 1] ?? 0);

let sent = 0;
const start = performance.now();
const end = start + Number(secondsText) * 1_000;
const nobody = new Int32Array(new SharedArrayBuffer(4));
for (let now = start; now < end; now = performance.now()) {
  const due = ((now - start) / 1_000) * Number(rateText);
  for (; sent < due; sent += batch) {
    const at = sent % frames.length;
    socket.sendMany(bytes, offsets.subarray(at), lengths.subarray(at), batch, address);
  }
  Atomics.wait(nobody, 0, 0, 1);
}
socket.close();
process.stdout.write(`${JSON.stringify({ sent })}\n`);
