/**
 * A program that sends junk adverts. Arguments: interface, packets per second, seconds, kinds
 * (commas). At rate 0 the third is how often each kind is sent. Prints how many left, as a JSON
 * line.
 */
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { interfaceIndex } from '../../../src/net/socket/interfaceQuery.js';
import { AF_PACKET, packetSocketAddress, SOCK_RAW } from '../../../src/net/socket/sockaddr.js';
import { SeededRandom } from '../base/seededRandom.js';
import { junkFrame, type JunkKind } from './junk.js';

const [, , interfaceName = '', rateText = '0', secondsText = '1', kindsText = ''] = process.argv;
const rate = Number(rateText);
const kinds = kindsText.split(',') as JunkKind[];
const batch = 100;

const opened = BatchedSocket.open({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 });
if (opened.kind === 'refused') throw new Error(`errno ${opened.errno}`);
const socket = opened.socket;
const index = interfaceIndex(socket, interfaceName);
if (index.kind === 'refused') throw new Error(`no ${interfaceName}`);
const address = packetSocketAddress(0x0800, index.value, Uint8Array.of(1, 0, 0x5e, 0, 0, 0x12));
const random = new SeededRandom(1);

// A pool of frames, packed once: the sender must not be what limits the rate.
const frames = Array.from(
  { length: rate === 0 ? kinds.length * Number(secondsText) : 2_000 },
  (_, i) => junkFrame(kinds[i % kinds.length] ?? 'random', random),
);
const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame]));
const lengths = Uint32Array.from(frames, (frame) => frame.length);
const offsets = new Uint32Array(frames.length);
for (let i = 1; i < frames.length; i++) offsets[i] = (offsets[i - 1] ?? 0) + (lengths[i - 1] ?? 0);

let sent = 0;
if (rate === 0) {
  sent = socket.sendMany(bytes, offsets, lengths, frames.length, address);
} else {
  const start = performance.now();
  const end = start + Number(secondsText) * 1_000;
  for (let now = start; now < end; now = performance.now()) {
    const due = ((now - start) * rate) / 1_000;
    while (sent < due) {
      const first = sent % frames.length;
      const count = Math.min(batch, frames.length - first);
      const left = socket.sendMany(
        bytes,
        offsets.subarray(first),
        lengths.subarray(first),
        count,
        address,
      );
      sent += Math.max(1, left);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}
process.stdout.write(`${JSON.stringify({ sent })}\n`);
socket.close();
