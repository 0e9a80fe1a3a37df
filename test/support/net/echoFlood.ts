/**
 * A program that sends echo replies that nobody asked for. Arguments: their source, their
 * destination, packets per second, seconds. Prints how many left, as a JSON line.
 */
import { foldChecksum, onesComplementSum } from '../../../src/base/checksum.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { AF_INET, ipSocketAddress, SOCK_RAW } from '../../../src/net/socket/sockaddr.js';
import { IPPROTO_IP, IP_HDRINCL } from '../../../src/net/socket/socketOptions.js';
import { SeededRandom } from '../base/seededRandom.js';
import { ip } from '../vrrp/settings.js';

const [, , source = '', destination = '', rateText = '0', secondsText = '1'] = process.argv;
const rate = Number(rateText);
const batch = 100;
/** IPPROTO_RAW: nothing comes in. */
const rawProtocol = 255;
const messageBytes = 64;

const opened = BatchedSocket.open({ domain: AF_INET, type: SOCK_RAW, protocol: rawProtocol });
if (opened.kind === 'refused') throw new Error(`errno ${opened.errno}`);
const { socket } = opened;
socket.setIntOption(IPPROTO_IP, IP_HDRINCL, 1);
const address = ipSocketAddress(ip(destination), 0);
const random = new SeededRandom(1);

/** A right checksum, and an identifier, number and payload by chance. */
function forged(): Uint8Array {
  const packet = new Uint8Array(20 + messageBytes);
  packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1]);
  packet.set(ip(source).bytes, 12);
  packet.set(ip(destination).bytes, 16);
  const message = packet.subarray(20);
  for (let at = 4; at < messageBytes; at++) message[at] = random.below(256);
  new DataView(packet.buffer).setUint16(22, foldChecksum(onesComplementSum(message)));
  return packet;
}

// A pool, packed once: the sender must not be what limits the rate.
const packets = Array.from({ length: 2_000 }, forged);
const bytes = Uint8Array.from(packets.flatMap((packet) => [...packet]));
const lengths = Uint32Array.from(packets, (packet) => packet.length);
const offsets = Uint32Array.from(packets, (packet, i) => i * packet.length);

let sent = 0;
const start = performance.now();
const end = start + Number(secondsText) * 1_000;
process.stdout.write('{"ready":true}\n');
for (let now = start; now < end; now = performance.now()) {
  const due = ((now - start) * rate) / 1_000;
  while (sent < due) {
    const first = sent % packets.length;
    const count = Math.min(batch, packets.length - first);
    const [froms, sizes] = [offsets.subarray(first), lengths.subarray(first)];
    sent += Math.max(1, socket.sendMany(bytes, froms, sizes, count, address));
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
process.stdout.write(`${JSON.stringify({ sent })}\n`);
socket.close();
