/**
 * The same config and the same faults, once for keepalived 2.2.7 and once for keepstate, each
 * watched from outside by a capture: states, adverts and gratuitous ARP must be the same. The other
 * router is keepalived both times, and what happens is timed by what the capture shows, not by a
 * stopwatch.
 */
import type { Capture } from '../lab/capture.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { sleep, waitFor } from '../lab/waitFor.js';
import {
  advertsFrom,
  blocksOf,
  garpsFrom,
  runsOf,
  type SeenAdvert,
} from '../support/vrrp/capture.js';
import type { InstanceSpec, NodeSpec } from '../support/vrrp/nodeSpec.js';
import { startPeer, type DaemonKind } from '../support/vrrp/peers.js';

const timeout = 240_000;
/** Sender of the frames of test/support/vrrp/junk.ts. */
const worseMac = '02:00:00:00:00:66';

/** What the witness saw of the subject's life. */
interface Life {
  readonly states: readonly string[];
  readonly runs: readonly { readonly text: string; readonly count: number }[];
  /** Each time as MASTER: adverts that are not goodbyes, and seconds from the first to the last. */
  readonly reigns: readonly { readonly count: number; readonly duration: number }[];
  readonly identifications: readonly number[];
  readonly blocks: readonly (readonly string[])[];
  /** Seconds from each advert run's first packet to the blocks within. */
  readonly secondBlockDelays: readonly number[];
  readonly notified: readonly string[];
}

/** Of a late machine: an interval of a second takes at most so much, on average. */
const mostLateness = 1.1;

let lab: Lab;
let lives: Record<DaemonKind, Life>;
beforeAll(async () => {
  lab = await Lab.open();
  const [ours, theirs] = await Promise.all([live('keepstate'), live('keepalived')]);
  lives = { keepstate: ours, keepalived: theirs };
}, timeout);
afterAll(async () => {
  await lab.close();
}, 300_000);

test('the states are the same, in the same order', () => {
  expect(lives.keepstate.states).toEqual(lives.keepalived.states);
  expect(lives.keepstate.states).toEqual([
    ...['BACKUP', 'MASTER', 'BACKUP', 'MASTER', 'FAULT', 'BACKUP', 'MASTER'],
  ]);
});

test('the adverts have the same fields, run by run', () => {
  const texts = (life: Life): readonly string[] => life.runs.map((run) => run.text);
  expect(texts(lives.keepstate)).toEqual(texts(lives.keepalived));
  for (const word of [
    'prio 100',
    '01:00:5e:00:00:12',
    '10.0.0.1',
    '255',
    '10.0.0.100,10.0.0.101',
  ]) {
    expect(texts(lives.keepstate)[0]).toContain(word);
  }
  expect(texts(lives.keepstate).map((text) => text.split(' ')[1])).toEqual([
    ...['100', '0', '100', '0'],
  ]);
});

test('the adverts are as many: one per interval in each time as MASTER, and as many goodbyes', () => {
  for (const life of [lives.keepstate, lives.keepalived]) {
    // How long each time lasted is up to this machine's load, and so is how late each advert is;
    // that none is missing is not: twice the interval between two of them would show here.
    for (const { count, duration } of life.reigns) {
      expect(count - 1).toBeLessThanOrEqual(Math.round(duration));
      expect(count - 1).toBeGreaterThanOrEqual(Math.floor(duration / mostLateness));
    }
  }
  expect(lives.keepstate.reigns).toHaveLength(lives.keepalived.reigns.length);
  const goodbyes = (life: Life): readonly number[] =>
    life.runs.filter((run) => run.text.startsWith('prio 0 ')).map((run) => run.count);
  expect(goodbyes(lives.keepstate)).toEqual(goodbyes(lives.keepalived));
});

test('the identification grows by one from 1, as keepalived’s does', () => {
  for (const life of [lives.keepstate, lives.keepalived]) {
    expect(life.identifications).toEqual(life.identifications.map((_id, i) => i + 1));
  }
});

test('gratuitous ARP comes in the same blocks: addresses, order, count, bytes', () => {
  expect(lives.keepstate.blocks).toEqual(lives.keepalived.blocks);
  expect(lives.keepstate.blocks[0]).toHaveLength(10);
});

test('the second block follows the first after the same time, within 20 %', () => {
  const [ours, theirs] = [lives.keepstate.secondBlockDelays, lives.keepalived.secondBlockDelays];
  expect(ours.length).toBe(theirs.length);
  ours.forEach((delay, i) => {
    expect(Math.abs(delay - (theirs[i] ?? 0))).toBeLessThanOrEqual(0.2 * (theirs[i] ?? 0));
  });
});

test('notify is called with the same arguments, in the same order', () => {
  expect(lives.keepstate.notified).toEqual(lives.keepalived.notified);
  expect(lives.keepstate.notified.at(-1)).toBe('INSTANCE V STOP 100');
});

describe('against a worse router that comes out of a partition as MASTER', () => {
  let contests: Record<DaemonKind, Contest>;
  beforeAll(async () => {
    const [ours, theirs] = await Promise.all([contest('keepstate'), contest('keepalived')]);
    contests = { keepstate: ours, keepalived: theirs };
  }, timeout);

  test('both answer its advert at once and keep the role', () => {
    expect(contests.keepstate.answers).toBe(1);
    expect(contests.keepstate.answers).toBe(contests.keepalived.answers);
    expect(contests.keepstate.states).toEqual(['BACKUP', 'MASTER']);
    expect(contests.keepalived.states).toEqual(['BACKUP', 'MASTER']);
  });

  test('both announce the VIPs as often, with the second block after the same delay', () => {
    const sizes = (one: Contest): readonly number[] => one.blocks.map(({ size }) => size);
    expect(sizes(contests.keepstate)).toEqual(sizes(contests.keepalived));
    const starts = (one: Contest): readonly number[] => one.blocks.map(({ start }) => start);
    starts(contests.keepstate).forEach((start, i) => {
      const theirs = starts(contests.keepalived)[i] ?? 0;
      expect(Math.abs(start - theirs)).toBeLessThanOrEqual(0.2 * Math.max(theirs, 0.5));
    });
  });
});

/** From the first advert of the worse router that got through; times in seconds since then. */
interface Contest {
  readonly states: readonly string[];
  readonly answers: number;
  readonly blocks: readonly { readonly size: number; readonly start: number }[];
}

async function contest(kind: DaemonKind): Promise<Contest> {
  const short = kind === 'keepstate' ? 'cs' : 'ca';
  const [subject, other] = (await lab.hosts(`${short}s`, `${short}o`)) as [Host, Host];
  const lan = await lab.bridge(`${short}lan`);
  await lan.attach(subject, 'eth0', ['10.0.0.1/24']);
  await lan.attach(other, 'eth0', ['10.0.0.2/24']);
  const mac = await subject.macOf('eth0');
  const [instance] = node(120).instances;
  if (instance === undefined) throw new Error('no instance');
  const daemon = await startPeer(kind, subject, {
    instances: [{ ...instance, vips: ['10.0.0.100/24'] }],
    instanceText: '  garp_lower_prio_delay 2\n  garp_lower_prio_repeat 3\n',
  });
  await waitFor(async () => (await daemon.state('V')) === 'MASTER', { description: 'MASTER' });
  // Past the second block.
  await sleep(2_500);
  const capture = await subject.capture('eth0', { filter: 'proto 112 or arp' });
  // The worse router says one word and is silent again, as one that heard the answer.
  const worse = other.startTypescript('test/support/vrrp/flood.ts', ['eth0', '0', '1', 'lower']);
  expect((await worse.exited()).code).toBe(0);
  await sleep(4_000);
  await capture.stop();
  const heard = await advertsFrom(capture, worseMac);
  const said = await advertsFrom(capture, mac);
  const origin = heard[0]?.time ?? 0;
  const answers = heard.filter(({ time }) =>
    said.some((advert) => advert.time >= time && advert.time - time < 0.2),
  );
  return {
    states: daemon.history('V'),
    answers: answers.length,
    blocks: blocksOf(await garpsFrom(capture, mac)).map(({ start, addresses }) => ({
      size: addresses.length,
      start: start - origin,
    })),
  };
}

/**
 * Alone: BACKUP, MASTER. A better router comes: BACKUP. It stops: MASTER after the skew. A tracked
 * second interface fails: FAULT with priority 0. It returns: BACKUP, MASTER. Stop.
 */
async function live(kind: DaemonKind): Promise<Life> {
  const short = kind === 'keepstate' ? 'ks' : 'ka';
  const [subject, other] = (await lab.hosts(`${short}s`, `${short}o`)) as [Host, Host];
  const lan = await lab.bridge(`${short}lan`);
  const wan = await lab.bridge(`${short}wan`);
  await lan.attach(subject, 'eth0', ['10.0.0.1/24']);
  await lan.attach(other, 'eth0', ['10.0.0.2/24']);
  await wan.attach(subject, 'eth1', ['10.1.0.1/24']);
  await subject.ip('link set eth0 address 02:00:00:00:00:01');
  const mac = await subject.macOf('eth0');
  const capture = await other.capture('eth0', { filter: 'proto 112 or arp' });
  const notified = subject.path('notified');
  const script = subject.file('notify.sh', `#!/bin/sh\numask 022\necho "$@" >> ${notified}\n`);
  await subject.exec(['chmod', '755', script]);

  const daemon = await startPeer(kind, subject, { ...node(100), notify: script });
  await untilAdverts(capture, mac, 1);
  await sleep(3_400);

  const better = await startPeer('keepalived', other, node(150));
  await waitFor(async () => (await daemon.state('V')) === 'BACKUP', { description: 'BACKUP' });
  await sleep(1_400);
  await better.stop();
  const seen = (await advertsFrom(capture, mac)).length;
  await untilAdverts(capture, mac, seen + 1);
  await sleep(3_400);

  await wan.cut(subject, 'eth1');
  await waitFor(async () => (await daemon.state('V')) === 'FAULT', { description: 'FAULT' });
  await sleep(500);
  await wan.restore(subject, 'eth1');
  const said = (await advertsFrom(capture, mac)).length;
  await untilAdverts(capture, mac, said + 1);
  await sleep(2_400);
  await daemon.stop();
  await sleep(300);
  await capture.stop();

  const adverts = await advertsFrom(capture, mac);
  const blocks = blocksOf(await garpsFrom(capture, mac));
  return {
    // keepstate also tells the end, as a return to INIT; keepalived's log has no word for it.
    states: daemon.history('V').filter((state) => state !== 'INIT'),
    runs: runsOf(adverts),
    reigns: reignsOf(adverts),
    identifications: adverts.map((advert) => advert.identification),
    blocks: blocks.map((block) => block.addresses),
    secondBlockDelays: blocks.flatMap(({ start }, i) => {
      const next = blocks[i + 1]?.start ?? 0;
      return i % 2 === 0 && next > 0 ? [next - start] : [];
    }),
    notified: (await subject.exec(['cat', notified])).trimEnd().split('\n'),
  };
}

function reignsOf(adverts: readonly SeenAdvert[]): Life['reigns'] {
  const reigns: { count: number; first: number; last: number }[] = [];
  for (const { time } of adverts.filter(({ priority }) => priority > 0)) {
    const reign = reigns.at(-1);
    // Two intervals of silence: it was not MASTER in between.
    if (reign === undefined || time - reign.last > 1.9) {
      reigns.push({ count: 1, first: time, last: time });
    } else {
      reign.count += 1;
      reign.last = time;
    }
  }
  return reigns.map(({ count, first, last }) => ({ count, duration: last - first }));
}

function node(priority: number): NodeSpec {
  const instance: InstanceSpec = {
    name: 'V',
    interfaceName: 'eth0',
    vrid: 51,
    priority,
    vips: ['10.0.0.100/24', '10.0.0.101/24'],
    password: 'secret',
    garpMasterDelay: 2,
    ...(priority === 100 ? { trackInterfaces: ['eth1'] } : {}),
  };
  return { instances: [instance] };
}

async function untilAdverts(capture: Capture, mac: string, count: number): Promise<void> {
  await waitFor(async () => (await advertsFrom(capture, mac)).length >= count, {
    description: `${count} adverts`,
    interval: 100,
  });
}
