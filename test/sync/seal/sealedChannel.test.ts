import { EAGAIN } from '../../../src/base/errno.js';
import { formatIp } from '../../../src/base/ipAddress.js';
import { seconds } from '../../../src/base/time.js';
import type { Channel, ChannelListener, KernelOutcome } from '../../../src/net/ports.js';
import { Sealing } from '../../../src/sync/seal/sealing.js';
import { sealOverhead } from '../../../src/sync/wire/sealWire.js';
import { MessageStream } from '../../../src/sync/wire/messageStream.js';
import type { SealSettings } from '../../../src/sync/settings.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { sharedKey } from '../../support/sync/sealPeers.js';
import { ip } from '../../support/vrrp/settings.js';

const settings: SealSettings = {
  activeKeyId: 1,
  keys: [{ id: 1, fingerprint: 'f' }],
  auth: 'enforce',
  encrypts: true,
  isMultihop: false,
};
const done: KernelOutcome = { kind: 'done' };

/** A socket whose datagrams reach `peer` when they are delivered. */
class Wire implements Channel {
  readonly mtu = 1_500;
  readonly interfaceIndex = 7;
  readonly sent: Uint8Array[] = [];
  runs = 0;
  outcome: KernelOutcome = done;
  isClosed = false;
  #listener: ChannelListener | undefined;
  readonly #from: string;

  constructor(from: string) {
    this.#from = from;
  }

  onDatagram(listener: ChannelListener): void {
    this.#listener = listener;
  }

  send(datagram: Uint8Array): KernelOutcome {
    if (this.outcome === done) this.sent.push(datagram.slice());
    return this.outcome;
  }

  sendRun(datagrams: Uint8Array, size: number): KernelOutcome {
    this.runs++;
    for (let at = 0; at < datagrams.length; at += size) {
      this.send(datagrams.subarray(at, at + size));
    }
    return done;
  }

  onceWritable(): void {
    throw new Error('nobody waits here');
  }

  deliver(bytes: Uint8Array): void {
    this.#listener?.(bytes, ip(this.#from), 4_711);
  }

  close(): void {
    this.isClosed = true;
  }
}

interface End {
  readonly wire: Wire;
  readonly channel: Channel;
  readonly received: string[];
  readonly sealing: Sealing;
}

const time = (): ManualTime => new ManualTime();

function end(clock: ManualTime, from: string, seal: SealSettings | undefined = settings): End {
  const reports: string[] = [];
  const sealing = new Sealing({ clock, timers: clock, peerSealed: () => reports.push('sealed') });
  sealing.give([sharedKey], false);
  sealing.apply(seal);
  const wire = new Wire(from);
  const channel = sealing.wrap(wire, 3_780);
  const received: string[] = [];
  channel.onDatagram((bytes) => received.push(new TextDecoder().decode(bytes)));
  return { wire, channel, received, sealing };
}

/** Until nothing is under way. */
function exchange(a: End, b: End): void {
  for (let i = 0; i < 10; i++) {
    for (const bytes of a.wire.sent.splice(0)) b.wire.deliver(bytes);
    for (const bytes of b.wire.sent.splice(0)) a.wire.deliver(bytes);
  }
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function connected(): Promise<{ a: End; b: End; clock: ManualTime }> {
  const clock = time();
  const [a, b] = [end(clock, '10.0.0.2'), end(clock, '10.0.0.1')];
  exchange(a, b);
  await clock.advance(seconds(1));
  exchange(a, b);
  return { a, b, clock };
}

test('without a key the channel is the one that was given', () => {
  const sealing = new Sealing({ clock: time(), timers: time(), peerSealed: () => undefined });
  sealing.apply(undefined);
  const wire = new Wire('10.0.0.2');
  expect(sealing.wrap(wire, 3_780)).toBe(wire);
  expect(sealing.status()).toBeUndefined();
});

test('datagrams and runs of them arrive, each 32 bytes longer on the wire', async () => {
  const { a, b } = await connected();
  a.channel.send(bytesOf('one'));
  expect(a.channel.sendRun?.(bytesOf('twotreend'), 3)).toEqual(done);
  expect(a.wire.runs).toBe(1);
  expect(a.wire.sent.map(({ length }) => length - sealOverhead)).toEqual([3, 3, 3, 3]);
  exchange(a, b);
  expect(b.received).toEqual(['one', 'two', 'tre', 'end']);
  expect([a.channel.overhead, a.channel.mtu, a.channel.interfaceIndex]).toEqual([32, 1_500, 7]);
});

test('a run whose last datagram is shorter', async () => {
  const { a, b } = await connected();
  a.channel.sendRun?.(bytesOf('twotreX'), 3);
  exchange(a, b);
  expect(b.received).toEqual(['two', 'tre', 'X']);
});

test('a refusal of the kernel is passed on, and what is sent again is sealed anew', async () => {
  const { a, b } = await connected();
  a.wire.outcome = { kind: 'refused', errno: EAGAIN, message: 'full' };
  expect(a.channel.send(bytesOf('later'))).toMatchObject({ errno: EAGAIN });
  a.wire.outcome = done;
  a.channel.send(bytesOf('later'));
  exchange(a, b);
  expect(b.received).toEqual(['later']);
});

test('what is refused is counted by reason', async () => {
  const { a, b } = await connected();
  a.channel.send(bytesOf('once'));
  const [record = bytesOf('')] = a.wire.sent.splice(0);
  for (const bytes of [record, record, bytesOf('plain'), record.subarray(0, 33)]) {
    b.wire.deliver(bytes);
  }
  expect(b.received).toEqual(['once']);
  expect(b.sealing.status()?.refused).toEqual({ replayed: 1, plain: 1, malformed: 1 });
});

test('who is not admitted is neither opened nor answered', async () => {
  const { a, b } = await connected();
  const asked: string[] = [];
  b.channel.screen?.(({ source, port }) => {
    asked.push(`${formatIp(source)} ${port}`);
    return false;
  });
  a.channel.send(bytesOf('once'));
  const [record = bytesOf('')] = a.wire.sent.splice(0);
  b.wire.deliver(record);
  expect([b.received, b.wire.sent, b.sealing.status()?.refused]).toEqual([[], [], {}]);
  expect(asked).toEqual(['10.0.0.1 4711']);
  b.channel.screen?.(() => true);
  b.wire.deliver(record);
  expect(b.received).toEqual(['once']);
});

test('status tells the key under which the peer was heard, and when', async () => {
  const { a, b, clock } = await connected();
  expect(b.sealing.status()).toMatchObject({ isPeerSealed: false, heard: {} });
  a.channel.send(bytesOf('x'));
  exchange(a, b);
  expect(b.sealing.status()).toMatchObject({ isPeerSealed: true, heard: { 1: clock.now() } });
});

test('nobody is greeted any more once the peer is known, nor after the end', async () => {
  const { a, b, clock } = await connected();
  a.channel.send(bytesOf('x'));
  b.channel.send(bytesOf('y'));
  exchange(a, b);
  await clock.advance(seconds(10));
  expect(a.wire.sent).toEqual([]);
  a.channel.close();
  expect(a.wire.isClosed).toBe(true);
});

test('what one channel of a node sends is not the peer’s on another one', () => {
  const clock = time();
  const { sealing, wire, channel, received } = end(clock, '10.0.0.2');
  const second = new Wire('10.0.0.2');
  const other = sealing.wrap(second, 3_780);
  other.onDatagram(() => undefined);
  const crosswise = (): void => {
    for (const bytes of wire.sent.splice(0)) second.deliver(bytes);
    for (const bytes of second.sent.splice(0)) wire.deliver(bytes);
  };
  for (let i = 0; i < 5; i++) crosswise();
  other.send(bytesOf('from the other link'));
  crosswise();
  expect(received).toEqual([]);
  expect(sealing.status()?.refused).toMatchObject({ reflected: 2 });
  other.close();
  channel.close();
});

test('in a stream sealed records and plain messages lie end to end', () => {
  const stream = new MessageStream();
  const sealed = new Uint8Array(5_000);
  sealed.set([0xe5, 1, 5_000 >> 8, 5_000 & 0xff]);
  const plain = new Uint8Array(20);
  plain.set([0x10, 0, 0, 20]);
  const chunk = Buffer.concat([plain, sealed, plain, sealed]);
  const delivered: number[] = [];
  for (let at = 0; at < chunk.length; at += 777) {
    const isInStep = stream.push(chunk.subarray(at, at + 777), (messages) => {
      delivered.push(messages.length);
    });
    expect(isInStep).toBe(true);
  }
  expect(delivered.reduce((sum, length) => sum + length, 0) + stream.held).toBe(chunk.length);
});
