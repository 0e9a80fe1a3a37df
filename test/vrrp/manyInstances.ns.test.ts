/**
 * Hundreds of instances on one node at an interval of one second, beside keepalived with the same
 * config on a host of its own: every advert leaves, none late, and what it costs. KEEPSTATE_FULL=1
 * takes 500 of them.
 */
import { readFileSync } from 'node:fs';
import type { Capture } from '../lab/capture.js';
import { Lab } from '../lab/lab.js';
import { sleep, waitFor } from '../lab/waitFor.js';
import type { NodeSpec } from '../support/vrrp/nodeSpec.js';
import { startPeer, type DaemonKind } from '../support/vrrp/peers.js';

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const perInterface = isFull ? 250 : 60;
const seconds = isFull ? 20 : 6;
const ticksPerSecond = 100;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(async () => {
  await lab.close();
}, 300_000);

interface Measured {
  readonly adverts: number;
  /** Seconds beyond the interval. */
  readonly worstLateness: number;
  readonly cpuPercent: number;
}

test(`${2 * perInterface} instances send all their adverts in time`, async () => {
  const ours = await measure('keepstate');
  const theirs = await measure('keepalived');
  const line = (who: string, m: Measured): string =>
    `${who}: ${m.adverts} adverts in ${seconds} s, latest ${(m.worstLateness * 1_000).toFixed(0)} ms, ` +
    `CPU ${m.cpuPercent.toFixed(1)} %\n`;
  process.stdout.write(line('keepstate', ours) + line('keepalived', theirs));
  expect(ours.adverts).toBeGreaterThanOrEqual(2 * perInterface * (seconds - 1));
  // 200 ms is the goal on an idle machine; a shared one gets the room that a peer's patience
  // leaves.
  expect(ours.worstLateness).toBeLessThan(isFull ? 0.2 : 1);
}, 300_000);

function spec(): NodeSpec {
  const instances = [0, 1].flatMap((n) =>
    Array.from({ length: perInterface }, (_, i) => ({
      name: `V${n}x${i + 1}`,
      interfaceName: `eth${n}`,
      vrid: i + 1,
      priority: 200,
      vips: [`10.${n}.1.${i + 1}/16`],
      garpMasterDelay: 1,
      garpMasterRepeat: 1,
    })),
  );
  return { instances };
}

async function measure(kind: DaemonKind): Promise<Measured> {
  const host = await lab.host(`${kind}h`);
  const captures: Capture[] = [];
  for (const n of [0, 1]) {
    const lan = await lab.bridge(`${kind}n${n}`);
    await lan.attach(host, `eth${n}`, [`10.${n}.0.1/16`]);
  }
  const daemon = await startPeer(kind, host, spec());
  const last = `10.1.1.${perInterface}`;
  await waitFor(() => host.hasAddress(last), { description: `${kind} to set the last VIP` });
  await sleep(4_000);
  // On the sending side: what a busy machine's queues drop on the way to the witness is not the
  // question.
  for (const n of [0, 1]) {
    captures.push(await host.capture(`eth${n}`, { filter: 'proto 112', direction: 'out' }));
  }
  const before = cpuTicks(daemon.process.pid);
  await sleep(seconds * 1_000);
  const ticks = cpuTicks(daemon.process.pid) - before;
  const lives = new Map<string, { readonly time: number; readonly id: number }[]>();
  for (const [n, capture] of captures.entries()) {
    for (const { time, bytes } of await capture.stop()) {
      const key = `${n} ${bytes[35] ?? 0}`;
      lives.set(key, [...(lives.get(key) ?? []), { time, id: bytes.readUInt16BE(18) }]);
    }
  }
  await daemon.stop();
  expect(lives.size).toBe(2 * perInterface);
  // A capture on a busy machine loses packets; the identification tells those from adverts never
  // sent.
  const gaps = [...lives.values()].flatMap((list) =>
    list.slice(1).flatMap(({ time, id }, i) => {
      const before = list[i];
      return before === undefined || before.id + 1 !== id ? [] : [time - before.time];
    }),
  );
  const sent = [...lives.values()].map((list) => (list.at(-1)?.id ?? 0) - (list[0]?.id ?? 0) + 1);
  return {
    adverts: sent.reduce((sum, count) => sum + count, 0),
    worstLateness: Math.max(...gaps) - 1,
    cpuPercent: (ticks / ticksPerSecond / seconds) * 100,
  };
}

/**
 * utime and stime of a process and of its children that still live (keepalived works in a child).
 */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  const own = Number(fields[11]) + Number(fields[12]);
  return children
    .filter((child) => child !== '')
    .reduce((sum, child) => sum + cpuTicks(Number(child)), own);
}
