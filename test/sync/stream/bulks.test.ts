/** Bulks and requests for one, of a replicator whose peer is played: what is announced, and what counts as an answer. */
import { seconds, type Microseconds } from '../../../src/base/time.js';
import { headerFlag, lastDataKind } from '../../../src/sync/wire/header.js';
import { controlMessage, LoneReplicator, messagesOf } from '../../support/sync/loneReplicator.js';

const at = (value: number): Microseconds => seconds(value);

/** The peer acknowledges all that is sent, again and again. */
function acknowledgeAll(one: LoneReplicator, from: number, now: Microseconds, first: number): void {
  for (let i = 0; i < 50; i++) {
    one.drain(now);
    const to = (one.replicator.transmitter.nextSequence - 1) >>> 0;
    one.receive([controlMessage(headerFlag.ack, first + i, from, to)], now);
  }
}

describe('a bulk', () => {
  test('begins again from the start with a new incarnation of the peer, and only that one is announced', () => {
    const one = new LoneReplicator({ mode: 'FTFW' });
    one.fill(1, 1_000);
    one.receive([controlMessage(headerFlag.hello | headerFlag.alive, 1)], at(1));
    one.pump(at(1), 300);
    one.receive([controlMessage(headerFlag.ack, 2, 1_000, 1_200)], at(1));
    one.sent = [];
    const { nextSequence } = one.replicator.transmitter;
    one.receive([controlMessage(headerFlag.hello | headerFlag.alive, 5_000_000)], at(20));
    const told = messagesOf(one.drain(at(20))).filter(({ kind }) => kind <= lastDataKind);
    expect(told.length).toBeGreaterThanOrEqual(1_000);
    acknowledgeAll(one, nextSequence, at(20), 5_000_001);
    expect(one.bulksDone).toEqual([{ since: nextSequence, entries: 1_000 }]);
    expect(one.peerRestarts).toBe(2);
  });

  test('of which something was dropped is not announced, the one that makes up for it is', () => {
    const one = new LoneReplicator({ mode: 'FTFW', resendLimit: 16 });
    one.fill(1, 100);
    one.receive([controlMessage(headerFlag.hello | headerFlag.alive, 1)], at(1));
    let now = 1;
    const { transmitter } = one.replicator;
    // A peer that does not answer: a little goes out all the same, and the queue is full.
    while (!transmitter.isAllSent) {
      one.drain(at(now));
      one.replicator.tick(at(++now));
    }
    expect(transmitter.resend.dropped).toBeGreaterThan(0);
    const { nextSequence } = transmitter;
    acknowledgeAll(one, 1_000, at(now), 2);
    expect(one.bulksDone).toHaveLength(1);
    expect(one.bulksDone[0]!.since).toBeGreaterThanOrEqual(nextSequence);
    expect(one.bulksDone[0]!.entries).toBe(100);
  });
});

describe('a request for everything, without acknowledgements', () => {
  /** Twenty seconds; `numberOf` says what the peer's ALIVE of a second has for a number, if there is one. */
  function wait(one: LoneReplicator, numberOf: (second: number) => number | undefined): number {
    one.replicator.askResync(at(1), 'started');
    const sent = one.drain(at(1));
    for (let tenth = 11; tenth < 210; tenth++) {
      const now = at(tenth / 10);
      const number = tenth % 10 === 0 ? numberOf(tenth / 10) : undefined;
      if (number !== undefined) one.receive([controlMessage(headerFlag.alive, number)], now);
      one.replicator.tick(now);
      sent.push(...one.drain(now));
    }
    return messagesOf(sent).filter(({ flags }) => flags === headerFlag.resync).length;
  }

  test('is answered by the silence of a peer that has nothing to tell, once it was asked several times', () => {
    const one = new LoneReplicator({ mode: 'NOTRACK' });
    expect(wait(one, (second) => second)).toBe(3);
    expect(one.replicator.resync.isWaiting).toBe(false);
    expect(one.replicator.resync.answeredAt).toBeDefined();
  });

  test.each([
    ['a peer that is not there', (): undefined => undefined, false],
    [
      'a peer that came after most of the requests',
      (second: number) => (second > 12 ? second : undefined),
      false,
    ],
    ['a peer of which messages are lost', (second: number) => 2 * second, false],
    [
      'a keepstate peer, which announces the end of an empty bulk too',
      (second: number) => second,
      true,
    ],
  ])('is not answered by the silence of %s', (_who, numberOf, announcesEnds) => {
    const one = new LoneReplicator({ mode: 'NOTRACK', announcesEnds });
    wait(one, numberOf);
    expect(one.replicator.resync.isWaiting).toBe(true);
  });

  test.each([
    ['is answered by data', false],
    ['is not answered by any data of a keepstate peer: it may never have heard it', true],
  ])('%s', (_what, announcesEnds) => {
    const peer = new LoneReplicator({ mode: 'NOTRACK' });
    peer.fill(1, 1);
    peer.replicator.startBulk('started');
    const one = new LoneReplicator({ mode: 'NOTRACK', announcesEnds });
    one.replicator.askResync(at(1), 'started');
    one.receive(peer.drain(at(1)), at(1));
    expect(one.external.table.alive).toBe(1);
    expect(one.replicator.resync.isWaiting).toBe(announcesEnds);
  });
});

describe('what a bulk in answer to a request may begin with', () => {
  test('is any number before the peer was heard, and then the one behind the last', () => {
    const one = new LoneReplicator({ mode: 'NOTRACK' });
    one.replicator.askResync(at(1), 'started');
    one.receive([controlMessage(headerFlag.alive, 0xffff_ffff)], at(1));
    one.replicator.askResync(at(1), 'by hand');
    expect(one.resyncs.map(({ from }) => from)).toEqual([undefined, 0]);
  });

  test('is the first number of a new incarnation, or of a stream that was joined', () => {
    const one = new LoneReplicator({ mode: 'FTFW' });
    one.receive([controlMessage(headerFlag.alive, 70)], at(1));
    one.receive([controlMessage(headerFlag.hello | headerFlag.alive, 5_000)], at(2));
    expect(one.resyncs).toEqual([
      { because: 'joined a running stream', from: 70 },
      { because: 'the peer started', from: 5_000 },
    ]);
  });
});

describe('NOTRACK: numbers that jump', () => {
  const jumped = (one: LoneReplicator, to: number, now: Microseconds): void => {
    one.receive([controlMessage(headerFlag.alive, to)], now);
  };

  test.each([
    ['forward are a gap that may be a loss', 100_000, 99_998],
    ['far forward are a gap of unknown size', 0x4000_0000, 0],
    ['back are a gap, and no loss', 0x9000_0000, 0],
  ])('%s, and everything is asked for', (_where, to, lost) => {
    const one = new LoneReplicator({ mode: 'NOTRACK' });
    jumped(one, 1, at(1));
    jumped(one, to, at(1));
    const { machine } = one.replicator;
    expect([machine.lastGap, machine.counters.lost]).toEqual([to - 1, lost]);
    expect(one.resyncs).toEqual([{ because: 'the numbers of the peer jumped', from: to }]);
  });

  test('with each message ask once in five seconds', () => {
    const one = new LoneReplicator({ mode: 'NOTRACK' });
    for (let i = 0; i < 100; i++) {
      jumped(one, (i % 2) * 0x4000_0000, at(1 + i / 10));
      one.replicator.tick(at(1 + i / 10));
    }
    expect(one.resyncs).toHaveLength(2);
  });

  test('the first message is behind a gap too: what came before it is missing from a bulk', () => {
    const one = new LoneReplicator({ mode: 'NOTRACK' });
    jumped(one, 500, at(1));
    expect(one.replicator.machine.lastGap).toBe(499);
  });
});
