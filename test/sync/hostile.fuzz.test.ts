/**
 * Whatever arrives, the receiver answers with a counter: no exception, no growth, and the true peer
 * goes on.
 */
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { microseconds } from '../../src/base/time.js';
import { newScratch } from '../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../src/conntrack/record/nameTable.js';
import { ExternalCache } from '../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../src/sync/tables/fingerprintedTable.js';
import { FtfwMachine } from '../../src/sync/stream/modes/ftfw.js';
import { Receiver } from '../../src/sync/stream/receiver.js';
import { MessageStream } from '../../src/sync/wire/messageStream.js';
import { decodeKeyMessage, encodeKeyMessage } from '../../src/sync/wire/keyMessage.js';
import { decodePeerMessage, encodePeerMessage } from '../../src/sync/wire/peerMessage.js';

const folder = join(__dirname, '../vectors/sync');
const captures = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => {
    const vector = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { payloadHex: string };
    return Uint8Array.from(Buffer.from(vector.payloadHex, 'hex'));
  });

const limit = 64;

function receiver(): { receiver: Receiver; cache: ExternalCache } {
  const names = new NameTable();
  const cache = new ExternalCache(
    new FingerprintedTable({ limit, names, hashSeed: 1 }),
    limit,
    false,
  );
  const port = {
    control: () => undefined,
    acknowledged: () => undefined,
    missing: () => undefined,
    peerRestarted: () => undefined,
    streamBegan: () => undefined,
    bulkRequested: () => undefined,
    resyncNeeded: () => undefined,
  };
  const machine = new FtfwMachine(port, 300);
  return { receiver: new Receiver(machine, cache, newScratch(names)), cache };
}

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const options = {
  interruptAfterTimeLimit: isFull ? 30_000 : 3_000,
  numRuns: 100_000,
  markInterruptAsFailure: false,
};

test('each capture cut at every byte is taken or counted', () => {
  for (const bytes of captures) {
    for (let length = 0; length < bytes.length; length++) {
      const { receiver: subject } = receiver();
      const isGood = subject.receive(bytes.slice(0, length), microseconds(1));
      if (length > 0 && !isGood) expect(subject.malformedTotal).toBeGreaterThan(0);
    }
  }
});

test('arbitrary bytes never throw, and never exceed the limit of the cache', () => {
  const { receiver: subject, cache } = receiver();
  let now = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      subject.receive(bytes, microseconds(now++));
      return cache.table.count <= limit;
    }),
    options,
  );
  expect(now).toBeGreaterThan(1_000);
});

test('captures with a few changed bytes never throw, and never exceed the limit of the cache', () => {
  const { receiver: subject, cache } = receiver();
  let now = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...captures),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
      (capture, changes) => {
        const bytes = capture.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        subject.receive(bytes, microseconds(now++));
        const { records } = cache.table.audit();
        return cache.table.count <= limit && records.used + records.free === records.issued;
      },
    ),
    { ...options, numRuns: 20_000 },
  );
});

test('the peer channel ignores what is not its own', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      (bytes) => decodePeerMessage(bytes) === undefined,
    ),
    { ...options, numRuns: 20_000 },
  );
  const message = { kind: 'bulkEnd', since: 4_294_967_295, sequence: 3, entries: 2 } as const;
  expect(decodePeerMessage(encodePeerMessage(message))).toEqual(message);
  for (const text of ['KSP1{"kind":"bulkEnd"}', 'KSP1{"kind":"toString"}', 'KSP1[', 'KSP2{}']) {
    expect(decodePeerMessage(Buffer.from(text))).toBeUndefined();
  }
});

/** Chunks of a TCP stream: arbitrary bytes, captures, and captures with one byte changed. */
const chunk = fc.oneof(
  fc.uint8Array({ maxLength: 6_000 }),
  fc.constantFrom(...captures),
  fc.tuple(fc.constantFrom(...captures), fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
    const changed = bytes.slice();
    changed[at % bytes.length] = value;
    return changed;
  }),
);

test('arbitrary bytes of a stream never throw, are held for little more than one message, and are counted', () => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 6 }), fc.nat(40), (chunks, cut) => {
      const { receiver: subject } = receiver();
      const stream = new MessageStream();
      const whole = Buffer.concat(chunks);
      const pieces = [whole.subarray(0, cut), whole.subarray(cut)];
      let delivered = 0;
      const isInStep = pieces.every((piece) =>
        stream.push(piece, (messages) => {
          delivered += messages.length;
          subject.receive(messages, microseconds(1));
        }),
      );
      expect(stream.held).toBeLessThan(4_096 + 4);
      if (isInStep) expect(delivered + stream.held).toBe(whole.length);
      else expect(subject.malformedTotal).toBeGreaterThan(0);
    }),
    options,
  );
});

test('arbitrary bytes behind the magic are a message of a comparison, or none, and one that is read is written alike', () => {
  const magic = Buffer.from('KSP1');
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6 }),
      fc.uint8Array({ maxLength: 1_100 }),
      (kind, rest) => {
        const bytes = Buffer.concat([magic, Buffer.of(kind), rest]);
        const message = decodeKeyMessage(bytes);
        if (message === undefined) return;
        expect(Buffer.compare(encodeKeyMessage(message), bytes)).toBe(0);
      },
    ),
    options,
  );
});
