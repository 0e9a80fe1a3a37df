/** Which flows are read by themselves for their sequence adjustments, when, and how many. */
import { KernelError } from '../../../src/base/errors.js';
import { milliseconds } from '../../../src/base/time.js';
import { statusBit } from '../../../src/conntrack/constants.js';
import { FlowMirror } from '../../../src/conntrack/kernel/flowMirror.js';
import { FlowFilter } from '../../../src/conntrack/flowFilter.js';
import {
  clearScratch,
  deriveReply,
  newScratch,
  presenceBit,
  rareWord,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { AdjustmentReads } from '../../../src/sync/local/adjustmentReads.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { ManualTurns } from '../../support/base/manualTurns.js';
import { RecordedLog } from '../../support/base/recordedLog.js';
import { cachedInternal } from '../../support/sync/caches.js';

const names = new NameTable();

function flow(number: number, protocolNumber = 6): FlowCursor {
  const record = newScratch(names);
  clearScratch(record);
  record.setKind(false, protocolNumber);
  record.set(recordWord.originalPorts, number);
  record.learn(presenceBit.ports);
  deriveReply(record);
  return record;
}

/** As a dump shows it: `offset` bytes longer from here on. */
function adjusted(number: number, offset: number): FlowCursor {
  const record = flow(number);
  record.setRare(rareWord.sequenceOriginal + 2, offset);
  record.learn(presenceBit.sequenceOriginal | presenceBit.sequenceReply);
  return record;
}

interface Reading {
  readonly time: ManualTime;
  readonly log: RecordedLog;
  readonly reads: AdjustmentReads;
  /** Numbers of the flows that the kernel was asked for, and that were found. */
  readonly asked: number[];
  readonly found: number[];
}

/** The kernel has flows of even numbers. */
function reading(open?: () => never): Reading {
  const time = new ManualTime();
  const log = new RecordedLog();
  const asked: number[] = [];
  const found: number[] = [];
  const numberOf = (key: FlowCursor): number => key.get(recordWord.originalPorts);
  const lookup = {
    read: (key: FlowCursor) => {
      asked.push(numberOf(key));
      return numberOf(key) % 2 === 0 ? key : undefined;
    },
    close: () => undefined,
  };
  const reads = new AdjustmentReads({
    ...{ names, timers: time, logger: log },
    open: open ?? (() => lookup),
    onRead: (one) => found.push(numberOf(one)),
  });
  return { time, log, reads, asked, found };
}

test('a flow is read once, 100 to 200 ms after it was named, and only TCP', async () => {
  const { time, reads, asked, found } = reading();
  reads.mayBeAdjusted(flow(2));
  reads.mayBeAdjusted(flow(2));
  reads.mayBeAdjusted(flow(3));
  reads.mayBeAdjusted(flow(4, 17));
  await time.advance(milliseconds(100));
  expect(asked).toEqual([]);
  await time.advance(milliseconds(100));
  expect([asked, found, reads.waiting, time.armed]).toEqual([[2, 3], [2], 0, 0]);
  reads.mayBeAdjusted(flow(2));
  await time.advance(milliseconds(200));
  expect(asked).toEqual([2, 3, 2]);
});

test('five flows in 100 ms are read at most, and 256 wait in each turn', async () => {
  const { time, reads, asked } = reading();
  for (let i = 1; i <= 300; i++) reads.mayBeAdjusted(flow(i));
  expect(reads.waiting).toBe(256);
  await time.advance(milliseconds(1_100));
  expect(asked.length).toBe(50);
  await time.advance(milliseconds(6_000));
  expect([new Set(asked).size, reads.waiting, time.armed]).toEqual([256, 0, 0]);
});

test('without a socket it is said, and nothing waits for ever', async () => {
  const { time, log, reads } = reading(() => {
    throw new KernelError('open', 24, 'too many open files');
  });
  reads.mayBeAdjusted(flow(2));
  await time.advance(milliseconds(500));
  expect([log.lines, reads.waiting, time.armed]).toEqual([
    ['warning: sequence adjustments cannot be read'],
    0,
    0,
  ]);
});

describe('what was read', () => {
  function mirrored(): {
    mirror: FlowMirror;
    cache: ReturnType<typeof cachedInternal>;
    sent: number[];
    named: number[];
  } {
    const cache = cachedInternal(new FingerprintedTable({ names, hashSeed: 7 }), 16);
    const sent: number[] = [];
    const named: number[] = [];
    cache.onUnknownAdjustment((one) => named.push(one.get(recordWord.originalPorts)));
    cache.listen({
      flowChanged: (slot) => sent.push(slot),
      flowDied: () => undefined,
      flowForgotten: () => undefined,
      expectationChanged: () => undefined,
      expectationDied: () => undefined,
      expectationForgotten: () => undefined,
      cleared: () => undefined,
      changeLost: () => undefined,
      makeRoom: () => undefined,
    });
    const mirror = new FlowMirror({
      ...{ table: cache.table, listener: cache, clock: new ManualTime() },
      filter: new FlowFilter({}),
      kernelFilters: false,
      isOwnPort: () => false,
      turns: new ManualTurns(),
    });
    return { mirror, cache, sent, named };
  }

  test('goes to the peer where it is news, and changes nothing else of the flow', () => {
    const { mirror, cache, sent } = mirrored();
    const known = flow(2);
    known.set(recordWord.timeout, 100);
    known.learn(presenceBit.timeout);
    mirror.event('new', known, 0);
    const read = adjusted(2, 1);
    read.set(recordWord.timeout, 7);
    read.learn(presenceBit.timeout);
    mirror.adjusted(read);
    mirror.adjusted(adjusted(2, 1));
    const { table } = cache;
    const now = table.seek(table.find(known), table.newCursor());
    expect(now.getRare(rareWord.sequenceOriginal + 2)).toBe(1);
    expect([now.get(recordWord.timeout), sent.length]).toEqual([100, 2]);
    mirror.adjusted(adjusted(2, 2));
    expect([now.getRare(rareWord.sequenceOriginal + 2), sent.length]).toEqual([2, 3]);
  });

  test('of a flow that the cache does not hold brings none there', () => {
    const { mirror, cache } = mirrored();
    mirror.adjusted(adjusted(2, 1));
    expect(cache.table.count).toBe(0);
  });

  test('SEQ_ADJUST in an event names the flow until its adjustments are known', () => {
    const { mirror, named } = mirrored();
    const changed = (number: number, status: number): FlowCursor => {
      const record = flow(number);
      record.set(recordWord.status, status);
      record.learn(presenceBit.status);
      return record;
    };
    mirror.event('new', changed(2, statusBit.confirmed), 0);
    mirror.event('update', changed(2, statusBit.confirmed | statusBit.sequenceAdjust), 0);
    expect(named).toEqual([2]);
    mirror.adjusted(adjusted(2, 1));
    mirror.event('update', changed(2, statusBit.confirmed | statusBit.sequenceAdjust), 0);
    expect(named).toEqual([2]);
  });
});
