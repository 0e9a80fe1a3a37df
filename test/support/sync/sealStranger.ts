/**
 * A stranger without the key on the sync network, from the network namespace it is started in:
 *
 *   sealStranger FILE SOURCE TARGET COUNT PER_SECOND SEED [TTL LOWEST_PORT]
 *
 * FILE holds what he recorded on his way to TARGET: lines of port and hexadecimal digits. SOURCE is
 * an address of the namespace, be it borrowed from the peer; TTL (255) and a source port of 512 from
 * LOWEST_PORT (512) on are as the peer's own, so that they are no reason to refuse them. Sends COUNT
 * datagrams of all kinds to both ports and prints one line of JSON: {sent, refused, kinds};
 * `refused` by his own kernel.
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { SeededRandom } from '../base/seededRandom.js';
import { SealHostility, type HostileSeal } from './sealHostility.js';

const [file = '', source = '', target = '', count = '1', perSecond = '1', seed = '1', ...rest] =
  process.argv.slice(2);
const [ttl = '255', lowestPort = '512'] = rest;
const random = new SeededRandom(Number(seed));
const recordings = new Map<number, Uint8Array[]>();
for (const line of readFileSync(file, 'utf8').split('\n')) {
  const [port, digits] = line.split(' ');
  if (digits === undefined) continue;
  const list = recordings.get(Number(port)) ?? [];
  list.push(Uint8Array.from(Buffer.from(digits, 'hex')));
  recordings.set(Number(port), list);
}
const ways = [...recordings].map(
  ([port, recorded]) => [port, new SealHostility(random, recorded)] as const,
);

const kinds: Partial<Record<HostileSeal, number>> = {};
const socket = createSocket('udp4');
const startedAt = performance.now();
let sent = 0;
let refused = 0;

function burst(): void {
  if (sent >= Number(count)) {
    socket.close();
    process.stdout.write(`${JSON.stringify({ sent, refused, kinds })}\n`);
    return;
  }
  const due = ((performance.now() - startedAt) / 1_000) * Number(perSecond) - sent;
  let pending = 1;
  const done = (error?: Error | null): void => {
    if (error) refused++;
    if (--pending === 0) setTimeout(burst, 2);
  };
  for (let i = 0; i < Math.min(due, 100, Number(count) - sent); i++) {
    const way = ways[random.below(ways.length)];
    if (way === undefined) throw new Error(`${file} holds nothing`);
    const [port, hostility] = way;
    const kind = hostility.kind();
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    pending++;
    sent++;
    socket.send(hostility.make(kind), port, target, done);
  }
  done();
}

socket.bind(Number(lowestPort) + random.below(512), source, () => {
  socket.setTTL(Number(ttl));
  burst();
});
