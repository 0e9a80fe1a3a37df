/** The conversation between two keepstate nodes: offers of the role, and what a lost datagram does to them. */
import { microseconds, milliseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import { CatchUp } from '../../../src/sync/remote/catchUp.js';
import { FlowFilter } from '../../../src/conntrack/flowFilter.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import type { MergeSummary, SyncReport } from '../../../src/sync/messages.js';
import type { ChannelEngine } from '../../../src/sync/peerChannel/channelEngine.js';
import { ExternalCache, type SweepScope } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { ManualTurns } from '../../support/base/manualTurns.js';
import { cachedInternal } from '../../support/sync/caches.js';
import { Mastership } from '../../../src/sync/comparison/mastership.js';
import { noInjectedFlows } from '../../../src/conntrack/kernel/mirrorListener.js';
import { PeerChannel } from '../../../src/sync/peerChannel/peerChannel.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../src/sync/wire/peerMessage.js';
import type { TargetWord } from '../../../src/sync/wire/targetWords.js';

interface Node {
  readonly channel: PeerChannel;
  readonly sent: PeerMessage[];
  readonly reports: SyncReport[];
  readonly resyncAnswered: Microseconds[];
  readonly machine: { last: number; lastGap: number | undefined };
  readonly catchUp: CatchUp;
  readonly sweeps: SweepScope[];
  readonly mastership: Mastership;
  /** Why the peer was asked for everything, and how often that was repeated. */
  readonly asked: string[];
  readonly acknowledged: Microseconds[];
  /** Of this node's giving way. */
  readonly answered: (MergeSummary | undefined)[];
  /** What the peer said of targets. */
  readonly told: TargetWord[];
  /** Of its internal cache. */
  readonly check: { doubt: string | undefined; view: { flows?: number } };
  now: Microseconds;
}

/** The parts of an engine that the channel looks at; both caches are empty. */
function node(mode: 'FTFW' | 'NOTRACK' = 'FTFW', last = 9): Node {
  const sent: PeerMessage[] = [];
  const reports: SyncReport[] = [];
  const resyncAnswered: Microseconds[] = [];
  const random = { below: () => 77 };
  const names = new NameTable();
  const table = (): FingerprintedTable => new FingerprintedTable({ names, limit: 10, hashSeed: 1 });
  const external = new ExternalCache(table(), 10, false);
  const answered: (MergeSummary | undefined)[] = [];
  const result: { -readonly [Key in keyof Node]?: Node[Key] } = { sent, reports, resyncAnswered };
  const machine = { last, lastGap: undefined, counters: { lost: 0 } };
  const catchUp = new CatchUp();
  const sweeps: SweepScope[] = [];
  const asked: string[] = [];
  const acknowledged: Microseconds[] = [];
  const told: TargetWord[] = [];
  const check = { doubt: undefined, view: { flows: 12, isApart: false, isEmptied: false } };
  Object.assign(result, { told, machine, acknowledged, answered, catchUp, sweeps, asked, check });
  result.now = seconds(1);
  const engine: ChannelEngine = {
    ports: {
      clock: { now: () => result.now ?? seconds(1), wallClock: () => microseconds(0) },
      turns: new ManualTurns(),
      random,
      logger: { log: () => undefined },
      report: (report: SyncReport) => reports.push(report),
    },
    settings: { mode },
    names,
    filter: new FlowFilter({}, []),
    externalMode: { committable: external, injected: noInjectedFlows },
    internal: cachedInternal(table(), 10),
    external,
    feed: { addOwn: () => () => undefined },
    catchUp,
    check,
    reportCaughtUp: () => reports.push({ kind: 'caughtUp', entries: 0 }),
    sweepExternal: (scope: SweepScope) => {
      sweeps.push(scope);
      return Promise.resolve(0);
    },
    observe: () => undefined,
    replicator: {
      askResync: (_now: Microseconds, because: string) => {
        catchUp.begin();
        return asked.push(because) > 0;
      },
      machine,
      acknowledgeNow: (at: Microseconds) => acknowledged.push(at),
      resync: {
        answered: (at: Microseconds) => resyncAnswered.push(at),
        ask: () => asked.push('again'),
      },
      transmitter: { nextSequence: 10, waiting: 0, isBulkRunning: false },
    },
  };
  const cache = { onEnded: () => undefined, setServing: () => undefined };
  const mastership = new Mastership(random, cache);
  const role = {
    mastership,
    leftovers: { count: 0, isStill: () => false },
    isPurgePending: false,
    peerWasMaster: () => undefined,
  };
  const send = (datagram: Uint8Array): void => {
    const message = decodePeerMessage(datagram);
    if (message !== undefined) sent.push(message);
  };
  const stepDownAnswered = (merged?: MergeSummary): void => void answered.push(merged);
  const targetsTold = (words: readonly TargetWord[]): void => void told.push(...words);
  const port = { send, version: '1', nodeName: 'n', stepDownAnswered, targetsTold };
  Object.assign(result, { mastership });
  result.channel = new PeerChannel(engine, role, port);
  return result as Node;
}

const hello = encodePeerMessage({ kind: 'hello', name: 'p', version: '1', heard: true });

test('the first hellos follow each other quickly: one that is lost must not make a keepstate a conntrackd', () => {
  const one = node();
  for (let second = 1; second <= 20; second++) {
    one.now = seconds(second);
    one.channel.tick(one.now);
  }
  expect(one.sent.filter(({ kind }) => kind === 'hello')).toHaveLength(5 + 3);
});

test('a peer that says for ten seconds that it hears nothing is shown so, until it hears', () => {
  const one = node();
  const deaf = encodePeerMessage({ kind: 'hello', name: 'p', version: '1', heard: false });
  const shown: number[] = [];
  // As somebody who never heard this node says it: at first each second, then each five.
  for (let second = 1; second <= 60; second++) {
    one.now = seconds(second);
    if (second < 5 || (second < 30 && second % 5 === 0)) one.channel.receive(deaf);
    if (one.channel.view(one.now, true).hearsNothing === true) shown.push(second);
  }
  expect([shown[0], shown.at(-1), shown.length]).toEqual([11, 39, 29]);
  one.channel.receive(deaf);
  one.now = seconds(75);
  one.channel.receive(deaf);
  expect(one.channel.view(one.now, true).hearsNothing).toBe(true);
  one.channel.receive(hello);
  expect(one.channel.view(one.now, true).hearsNothing).toBeUndefined();
});

describe('targets', () => {
  const word: TargetWord = {
    ...{ name: 'WAN', state: 'bad', age: seconds(1), question: 5, addresses: [] },
  };

  test('are told to a peer that is there, and to no other', () => {
    const one = node();
    one.channel.tellTargets([word]);
    expect(one.sent).toEqual([]);
    one.channel.receive(hello);
    one.sent.length = 0;
    one.channel.tellTargets([word]);
    expect(one.sent.map(({ kind }) => kind)).toEqual(['targets']);
  });

  test('of the peer are reported as they were said', () => {
    const [one, other] = [node(), node()];
    one.channel.receive(hello);
    one.sent.length = 0;
    one.channel.tellTargets([word]);
    for (const message of one.sent) other.channel.receive(encodePeerMessage(message));
    expect(other.told).toEqual([word]);
  });

  test('an older keepstate does not say that it compares them', () => {
    const one = node();
    one.channel.receive(hello);
    expect(one.channel.view(one.now, true).comparesTargets).toBeUndefined();
    const can = encodePeerMessage({
      ...{ kind: 'hello', name: 'p', version: '1', heard: true, can: ['targets'] },
    });
    one.channel.receive(can);
    expect(one.channel.view(one.now, true).comparesTargets).toBe(true);
  });
});

describe('roles', () => {
  const master = { name: 'G', vrid: 5, state: 'MASTER', since: seconds(1), priority: 9 } as const;

  test('of this node are said at once to a peer that is there, and with each further hello', () => {
    const one = node();
    one.channel.receive(hello);
    one.now = seconds(3);
    one.channel.setRoles({ bound: 'G', units: [master] });
    one.now = seconds(4);
    one.channel.tick(one.now);
    const said = one.sent.flatMap((sent) =>
      sent.kind === 'hello' && sent.roles !== undefined ? [sent.roles] : [],
    );
    const unit = { name: 'G', vrid: 5, state: 'MASTER', priority: 9 };
    expect(said).toEqual([
      { bound: 'G', units: [{ ...unit, forMs: 2_000 }] },
      { bound: 'G', units: [{ ...unit, forMs: 3_000 }] },
    ]);
  });

  test('of the peer are known with the time of its word; of an older one they are unknown', () => {
    const one = node();
    one.channel.receive(hello);
    expect(one.channel.view(one.now, true)).not.toHaveProperty('roles');
    one.now = seconds(5);
    const roles = { units: [{ ...master, since: undefined, forMs: 1_000 }] };
    one.channel.receive(
      encodePeerMessage({ kind: 'hello', name: 'p', version: '1', heard: true, roles }),
    );
    expect(one.channel.view(one.now, true)).toMatchObject({
      roles: { units: [{ name: 'G', state: 'MASTER', since: seconds(4) }] },
      rolesAt: seconds(5),
    });
  });
});

describe('maintenance', () => {
  const viewOf = (one: Node): unknown => one.channel.view(one.now, true);

  test('of the peer is known as long as its hello says so', () => {
    const one = node();
    one.channel.receive(
      encodePeerMessage({ kind: 'hello', name: 'p', version: '1', heard: true, maintenance: true }),
    );
    expect(viewOf(one)).toMatchObject({ kind: 'keepstate', name: 'p', inMaintenance: true });
    one.channel.receive(hello);
    expect(viewOf(one)).not.toHaveProperty('inMaintenance');
  });

  test('of this node is said at once to a peer that is there, and with each further hello', () => {
    const one = node();
    one.channel.receive(hello);
    const said = (): unknown[] =>
      one.sent.flatMap((sent) => (sent.kind === 'hello' ? [sent.maintenance] : []));
    const before = said().length;
    one.channel.setMaintenance(true);
    one.now = seconds(3);
    one.channel.tick(one.now);
    one.channel.setMaintenance(false);
    expect(said().slice(before)).toEqual([true, true, undefined]);
  });

  test('that is no truth value makes the message a bad one', () => {
    const bad = 'KSP1{"kind":"hello","name":"p","version":"1","heard":true,"maintenance":"yes"}';
    expect(decodePeerMessage(Buffer.from(bad))).toBeUndefined();
  });

  test('and whatever else a newer peer adds to its hello does not keep it from being heard', () => {
    const newer = 'KSP1{"kind":"hello","name":"p","version":"9","heard":true,"further":[1]}';
    expect(decodePeerMessage(Buffer.from(newer))).toMatchObject({ kind: 'hello', version: '9' });
  });
});

describe('what both hold', () => {
  const digest = (sequence: number, count = 0): Uint8Array =>
    encodePeerMessage({ kind: 'digest', sequence, count, high: 0, low: 0 });
  const holds = (more: Partial<Extract<PeerMessage, { kind: 'holds' }>>): Uint8Array =>
    encodePeerMessage({
      kind: 'holds',
      kernel: 9,
      ignored: 1,
      internal: 8,
      external: 7,
      compared: 0,
      equal: false,
      parity: 'equal',
      doubt: '',
      ...more,
    });
  const said = (one: Node): unknown[] => one.sent.filter(({ kind }) => kind === 'holds');
  const parityOf = (one: Node): readonly unknown[] => {
    const { parity, parityBecause } = one.channel.view(one.now, true);
    return [parity, parityBecause];
  };

  test('the answer to a digest is told at once, and everything once a second', () => {
    const one = node();
    one.channel.receive(hello);
    one.channel.receive(digest(10));
    expect(said(one)).toEqual([
      expect.objectContaining({
        compared: 10,
        equal: true,
        parity: 'equal',
        kernel: 12,
        doubt: '',
      }),
    ]);
    one.channel.tick(one.now);
    expect(said(one)).toHaveLength(1);
    one.now = seconds(2);
    one.channel.tick(one.now);
    expect(said(one)).toHaveLength(2);
    expect(parityOf(one)).toEqual(['equal', undefined]);
  });

  test('a doubt is told at once, no digest is sent during it, and nothing is equal here or there', () => {
    const one = node();
    one.channel.receive(hello);
    one.channel.receive(digest(10));
    one.channel.tick(one.now);
    one.check.doubt = 'events were lost';
    one.now = milliseconds(1_100);
    one.channel.tick(one.now);
    expect(said(one).at(-1)).toMatchObject({ doubt: 'events were lost' });
    expect(parityOf(one)).toEqual(['unknown', 'events were lost']);
    const digests = (): number => one.sent.filter(({ kind }) => kind === 'digest').length;
    const before = digests();
    one.now = milliseconds(3_000);
    one.channel.tick(one.now);
    expect(digests()).toBe(before);
    one.check.doubt = undefined;
    one.channel.tick(one.now);
    expect(digests()).toBe(before + 1);

    const other = node();
    other.channel.receive(hello);
    other.channel.receive(digest(10));
    other.channel.receive(holds({ doubt: 'events were lost' }));
    expect(parityOf(other)).toEqual(['unknown', 'the peer: events were lost']);
    other.channel.receive(digest(10));
    expect(parityOf(other)).toEqual(['equal', undefined]);
  });

  test('of the peer is shown while it says it', () => {
    const one = node();
    one.channel.receive(hello);
    const shown = (): unknown => one.channel.view(one.now, true).holds;
    expect(shown()).toBeUndefined();
    one.channel.receive(holds({ parity: 'different' }));
    const counts = { kernel: 9, ignored: 1, internal: 8, external: 7 };
    expect(shown()).toEqual({ ...counts, parity: 'different' });
    one.channel.receive(holds({ kernel: 0xffff_ffff, external: 0xffff_ffff, parity: 'nonsense' }));
    expect(shown()).toEqual({ ignored: 1, internal: 8, parity: 'unknown' });
    one.now = seconds(5.5);
    one.channel.receive(hello);
    expect(shown()).toBeUndefined();
  });

  test('is confirmed by a comparison of a later digest only', () => {
    const one = node();
    one.channel.receive(hello);
    const { holdings } = one.channel;
    one.channel.receive(holds({}));
    expect(holdings.confirms(20, one.now)).toBeUndefined();
    one.channel.receive(holds({ compared: 19, equal: true }));
    expect(holdings.confirms(20, one.now)).toBeUndefined();
    one.channel.receive(holds({ compared: 20, equal: false }));
    expect(holdings.confirms(20, one.now)).toBe(false);
    one.channel.receive(holds({ compared: 21, equal: true }));
    expect(holdings.confirms(20, one.now)).toBe(true);
    one.channel.peerRestarted();
    expect(holdings.confirms(20, one.now)).toBeUndefined();
  });

  test('an external cache that was emptied equals nothing until the next digest', () => {
    const one = node();
    one.channel.receive(hello);
    one.channel.receive(digest(10));
    one.channel.externalEmptied();
    expect(parityOf(one)).toEqual(['unknown', 'the two caches were not compared yet']);
    one.channel.receive(digest(10, 5));
    one.channel.tick(one.now);
    expect(parityOf(one)[0]).toBe('different');
    expect(one.asked).toHaveLength(1);
  });
});

test('an offer is repeated until it is answered', async () => {
  const one = node();
  one.channel.receive(hello);
  const offered = one.channel.handOver.offer(seconds(3));
  one.channel.tick(one.now);
  expect(one.sent.filter(({ kind }) => kind === 'offer')).toHaveLength(2);
  const answer: PeerMessage = { kind: 'offerAnswer', token: 77, ready: true, because: 'ready' };
  one.channel.receive(encodePeerMessage(answer));
  expect(await offered).toEqual({ ready: true, because: 'ready' });
});

test('a refusal says whose it is', async () => {
  const one = node();
  one.channel.receive(hello);
  const offered = one.channel.handOver.offer(seconds(5));
  const because = 'in maintenance';
  one.channel.receive(encodePeerMessage({ kind: 'offerAnswer', token: 77, ready: false, because }));
  expect(await offered).toEqual({ ready: false, because: 'the peer p says: in maintenance' });
});

test('an answer that got lost is given again when the offer is repeated', () => {
  const one = node();
  const offer = encodePeerMessage({ kind: 'offer', token: 5 });
  const answers = (): number => one.sent.filter(({ kind }) => kind === 'offerAnswer').length;
  one.channel.receive(offer);
  one.channel.receive(offer);
  expect(one.reports).toEqual([{ kind: 'handoverOffered' }]);
  expect(answers()).toBe(0);
  one.channel.handOver.answer(true, 'committed');
  expect(answers()).toBe(1);
  one.channel.receive(offer);
  expect(answers()).toBe(2);
  expect(one.reports).toHaveLength(1);
});

test('an offer ends in time also when the peer is gone', async () => {
  const one = node();
  one.channel.receive(hello);
  const offered = one.channel.handOver.offer(seconds(8));
  one.now = microseconds(one.now + seconds(9));
  one.channel.tick(one.now);
  expect(await offered).toMatchObject({ ready: false });
});

test('a second offer ends the first', async () => {
  const one = node();
  one.channel.receive(hello);
  const first = one.channel.handOver.offer(seconds(3));
  void one.channel.handOver.offer(seconds(3));
  expect(await first).toMatchObject({ ready: false });
});

test.each([
  ['NOTRACK', 1],
  ['FTFW', 0],
] as const)('%s: the end of a bulk answers a request %i times', (mode, times) => {
  const one = node(mode);
  const end = encodePeerMessage({ kind: 'bulkEnd', since: 3, sequence: 10, entries: 0 });
  one.channel.receive(end);
  one.channel.receive(end);
  expect(one.resyncAnswered).toHaveLength(times);
});

describe('the end of a bulk', () => {
  const ended = (since: number): Uint8Array =>
    encodePeerMessage({ kind: 'bulkEnd', since, sequence: 10, entries: 0 });
  const said = (one: Node, kind: PeerMessage['kind']): number =>
    one.sent.filter((message) => message.kind === kind).length;

  test('of a bulk that began before the request is seen, and completes nothing', () => {
    const one = node();
    one.channel.receive(hello);
    one.catchUp.begin(5);
    one.channel.receive(ended(4));
    expect([said(one, 'bulkEndSeen'), one.reports, one.sweeps]).toEqual([1, [], []]);
    one.channel.receive(ended(5));
    expect(one.reports).toEqual([{ kind: 'caughtUp', entries: 0 }]);
    expect(one.sweeps).toEqual([{ since: 5, keepsOlder: false }]);
  });

  // A MASTER that loses its power, and is back with an empty kernel before anybody took the role,
  // told what its peer's table alone has now.
  test.each([
    ['the peer is MASTER', 'MASTER', false],
    ['this node is MASTER', 'BACKUP', true],
  ] as const)(
    'judges what an earlier life of the peer told only once %s',
    (_name, state, isOwn) => {
      const one = node();
      const greeted = (role: 'MASTER' | 'BACKUP', wasMasterMs?: number): void => {
        const units = [{ name: 'G', vrid: 1, state: role, forMs: 5, priority: 100 }];
        const left = wasMasterMs === undefined ? {} : { leftovers: 1, wasMasterMs };
        const said = { name: 'p', version: '1', heard: true, roles: { units }, ...left };
        one.channel.receive(encodePeerMessage({ kind: 'hello', ...said }));
      };
      const own = { name: 'G', vrid: 1, state: 'BACKUP', since: one.now, priority: 50 } as const;
      one.channel.setRoles({ units: [own] });
      greeted('MASTER');
      one.channel.peerRestarted();
      one.channel.receive(ended(5));
      greeted('BACKUP');
      one.channel.tick(one.now);
      expect(one.sweeps).toEqual([{ since: 5, keepsOlder: true }]);
      if (isOwn) one.mastership.begin(one.now);
      one.channel.tick(one.now);
      expect(one.sweeps).toHaveLength(1);
      if (isOwn) one.mastership.complete();
      greeted(state);
      one.channel.tick(one.now);
      one.channel.tick(one.now);
      expect(one.sweeps.slice(1)).toEqual([{ since: 5, keepsOlder: false }]);
      // In the same boot its kernel has what it had: what it does not tell has ended.
      one.mastership.end();
      greeted('BACKUP', 7_000);
      one.channel.receive(ended(6));
      expect(one.sweeps.at(-1)).toEqual({ since: 6, keepsOlder: false });
    },
  );

  // The last number of the peer that was heard is 9.
  test.each([
    ['that is yet to come', { since: 3, sequence: 12, entries: 0 }],
    ['of another stream', { since: 0x8000_0000, sequence: 0x8000_0009, entries: 0 }],
    ['that ended long ago', { since: 0xffd0_0000, sequence: 0xffe0_0000, entries: 0 }],
    ['that ended before it began', { since: 9, sequence: 3, entries: 0 }],
    ['that is too long for any table', { since: 0xf000_0000, sequence: 10, entries: 0 }],
  ])('of a bulk %s is nobody’s: nothing is removed, nor answered', (_what, numbers) => {
    const one = node();
    one.catchUp.bulkEnded();
    one.channel.receive(encodePeerMessage({ kind: 'bulkEnd', ...numbers }));
    expect([said(one, 'bulkEndSeen'), one.reports, one.sweeps]).toEqual([0, [], []]);
  });

  test('of a bulk with a gap completes nothing: another is asked for, up to where no flow can be missing', () => {
    const one = node('NOTRACK');
    for (let since = 1; since < 5; since++) {
      one.machine.lastGap = since;
      one.channel.receive(ended(since));
    }
    expect(one.asked).toHaveLength(4);
    expect(one.reports).toEqual([]);
    one.machine.lastGap = 5;
    one.channel.receive(ended(5));
    expect([one.asked.length, one.reports.length, one.sweeps]).toEqual([4, 1, []]);
  });

  test('of a bulk with a gap that nobody asked for changes nothing', () => {
    const one = node('NOTRACK');
    one.catchUp.bulkEnded();
    one.machine.lastGap = 3;
    one.channel.receive(ended(3));
    expect([one.asked, one.reports, one.sweeps]).toEqual([[], [], []]);
  });

  test('that was told to an incarnation of the peer is not told to the next', () => {
    const one = node();
    one.channel.receive(hello);
    one.channel.bulkDone(3, 7);
    one.channel.tick(one.now);
    expect(said(one, 'bulkEnd')).toBe(1);
    one.channel.peerRestarted();
    one.now = seconds(3);
    one.channel.tick(one.now);
    expect(said(one, 'bulkEnd')).toBe(1);
  });

  test.each([
    ['NOTRACK', 7],
    ['FTFW', 31],
  ] as const)(
    '%s: that never comes from a peer at rest is asked for again after %i s',
    (mode, after) => {
      const one = node(mode);
      const digest = encodePeerMessage({ kind: 'digest', sequence: 99, count: 0, high: 0, low: 0 });
      one.catchUp.begin(5);
      one.catchUp.tick(seconds(2), seconds(2), 0, true);
      one.now = seconds(after);
      one.channel.receive(digest);
      expect(one.asked).toEqual([]);
      one.now = seconds(after + 2);
      one.channel.receive(digest);
      expect(one.asked).toEqual(['again']);
      expect(one.catchUp.answers(4)).toBe(false);
    },
  );

  test('is announced by a peer that is heard', () => {
    const one = node();
    expect(one.channel.announcesEnds(one.now)).toBe(false);
    one.channel.receive(hello);
    expect(one.channel.announcesEnds(one.now)).toBe(true);
    expect(one.channel.announcesEnds(seconds(7))).toBe(false);
  });
});

test('the end of a bulk is not believed before its last message is here', () => {
  const one = node('NOTRACK', 8);
  one.channel.receive(encodePeerMessage({ kind: 'bulkEnd', since: 3, sequence: 10, entries: 0 }));
  expect(one.resyncAnswered).toHaveLength(0);
});

test('an acknowledgement is hurried once everything asked for is here, and only then', () => {
  const one = node('FTFW', 8);
  one.channel.receive(encodePeerMessage({ kind: 'acknowledge', sequence: 10 }));
  one.channel.received(one.now);
  expect(one.acknowledged).toHaveLength(0);
  one.machine.last = 9;
  one.channel.received(one.now);
  one.channel.received(one.now);
  expect(one.acknowledged).toHaveLength(1);
});

test('only a peer that is heard is asked to acknowledge', () => {
  const one = node();
  const asked = (): readonly PeerMessage[] => one.sent.filter(({ kind }) => kind === 'acknowledge');
  one.channel.askAcknowledgement();
  expect(asked()).toEqual([]);
  one.channel.receive(hello);
  one.channel.askAcknowledgement();
  expect(asked()).toEqual([{ kind: 'acknowledge', sequence: 10 }]);
});

describe('a node that gave way to a stronger master', () => {
  const seen = (token: number, merged: boolean): Uint8Array =>
    encodePeerMessage({
      kind: 'yieldedSeen',
      token,
      merged,
      created: 4,
      failed: 1,
      durationMs: 20,
    });

  const notice = { token: 77, masterFor: milliseconds(1_500), endedAt: seconds(1) };

  test('says so until it is answered', () => {
    const one = node();
    one.channel.receive(hello);
    one.channel.notices.tell(notice);
    one.now = seconds(3);
    one.channel.tick(one.now);
    expect(one.sent.filter(({ kind }) => kind === 'yielded')).toEqual([
      { kind: 'yielded', token: 77, masterMs: 1_500, agoMs: 0 },
      { kind: 'yielded', token: 77, masterMs: 1_500, agoMs: 2_000 },
    ]);
    one.channel.receive(seen(78, true));
    expect(one.answered).toEqual([]);
    one.channel.receive(seen(77, true));
    one.now = seconds(9);
    one.channel.receive(hello);
    one.channel.tick(one.now);
    expect(one.sent.filter(({ kind }) => kind === 'yielded')).toHaveLength(2);
    expect(one.answered).toEqual([{ created: 4, failed: 1, durationMs: 20 }]);
  });

  test('is told where there was nothing to merge', () => {
    const one = node();
    one.channel.receive(hello);
    one.channel.notices.tell(notice);
    one.channel.receive(seen(77, false));
    expect(one.answered).toEqual([undefined]);
  });

  test('has nothing to say once it is master again', () => {
    const one = node();
    one.channel.notices.tell(notice);
    one.channel.notices.forget();
    one.now = seconds(3);
    one.channel.receive(hello);
    one.channel.tick(one.now);
    expect(one.sent.filter(({ kind }) => kind === 'yielded')).toHaveLength(1);
  });

  test('is answered when its flows are merged, and again when the answer was lost', () => {
    const one = node();
    const news = encodePeerMessage({ kind: 'yielded', token: 5, masterMs: 1_500, agoMs: 3 });
    one.channel.receive(hello);
    one.channel.receive(news);
    one.channel.receive(news);
    expect(one.reports).toEqual([{ kind: 'peerYielded', name: 'p', masterMs: 1_500, agoMs: 3 }]);
    expect(one.sent.filter(({ kind }) => kind === 'yieldedSeen')).toEqual([]);
    one.channel.notices.acknowledge({ created: 4, failed: 1, durationMs: 20.4 });
    one.channel.receive(news);
    const answer = decodePeerMessage(seen(5, true));
    expect(one.sent.filter(({ kind }) => kind === 'yieldedSeen')).toEqual([answer, answer]);
    expect(one.reports).toHaveLength(1);
  });

  test('is news again to one whose merge came to nothing', () => {
    const one = node();
    const news = encodePeerMessage({ kind: 'yielded', token: 5, masterMs: 1_500, agoMs: 3 });
    one.channel.receive(news);
    one.channel.notices.abandon();
    one.channel.receive(news);
    expect(one.reports).toHaveLength(2);
  });
});
