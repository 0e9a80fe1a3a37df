/** Arbitrary and mutated bytes give a value or a DecodeError, nothing else. Bounded by time. */
import fc from 'fast-check';
import { ByteReader } from '../../src/base/cursor.js';
import { DecodeError } from '../../src/base/errors.js';
import { formatIp, ipEquals, ipFromBytes, parseIp } from '../../src/base/ipAddress.js';
import {
  decodeGratuitousArp,
  decodeNeighbourAdvertisement,
  encodeGratuitousArp,
  encodeNeighbourAdvertisement,
} from '../../src/net/vrrp/frames.js';
import {
  NetlinkWalker,
  decodeNetlinkAnswer,
  forEachAttribute,
} from '../../src/net/netlink/netlinkFraming.js';
import {
  decodeIpSocketAddress,
  ipSocketAddress,
  netlinkPortId,
} from '../../src/net/socket/sockaddr.js';
import { NetlinkBuilder } from '../support/net/netlinkBuilder.js';

const milliseconds = process.env['KEEPSTATE_FULL'] === '1' ? 20_000 : 2_000;
const limits = {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: milliseconds,
  markInterruptAsFailure: false,
};

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ipFromBytes(bytes)!);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ipFromBytes(bytes)!);

/** A valid input with some bytes overwritten and the end cut or grown. */
function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(200), { nil: undefined }),
    )
    .map(([bytes, changes, length]) => {
      const changed = new Uint8Array(length ?? bytes.length);
      changed.set(bytes.subarray(0, changed.length));
      for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
      return changed;
    });
}

const netlinkDatagram = fc
  .array(
    fc.tuple(
      fc.constantFrom(2, 3, 16, 0x100),
      fc.constantFrom(0, 0x100, 0x200, 0x300),
      fc.array(fc.tuple(fc.nat(10), fc.uint8Array({ maxLength: 24 })), { maxLength: 4 }),
    ),
    { maxLength: 3 },
  )
  .map((messages) => {
    const builder = new NetlinkBuilder(1024);
    for (const [type, flags, attributes] of messages) {
      builder.beginMessage(type, flags, 1);
      for (const [number, payload] of attributes) builder.attribute(number, payload);
      builder.endMessage();
    }
    return builder.written().slice();
  });

const frame = fc.oneof(
  fc.tuple(mac, ipv4).map(([m, address]) => encodeGratuitousArp({ mac: m, address })),
  fc
    .tuple(mac, ipv6, fc.boolean())
    .map(([m, address, isRouter]) => encodeNeighbourAdvertisement({ mac: m, address, isRouter })),
);
const endpoint = fc
  .tuple(fc.oneof(ipv4, ipv6), fc.nat(65535))
  .map(([address, port]) => ipSocketAddress(address, port));

function walkAll(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const walker = new NetlinkWalker();
  walker.reset(view);
  let count = 0;
  while (walker.step()) {
    const { start, end, type } = walker.message;
    if (type === 2 || type === 3) decodeNetlinkAnswer(view, walker.message);
    else {
      forEachAttribute(view, start + 16, end, (_, from, to) => {
        if (from > to || to > bytes.length) throw new Error('payload outside the message');
      });
    }
    if (++count > bytes.length) throw new Error('does not advance');
  }
  return count;
}

function readAll(bytes: Uint8Array): void {
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) {
    const length = reader.uint8();
    reader.uint16();
    reader.uint32Host();
    reader.bytes(length);
  }
}

const decoders: [string, fc.Arbitrary<Uint8Array>, (bytes: Uint8Array) => unknown][] = [
  ['byte reader', fc.uint8Array(), readAll],
  ['netlink walker, attributes and answers', netlinkDatagram, walkAll],
  ['gratuitous ARP', frame, decodeGratuitousArp],
  ['neighbour advertisement', frame, decodeNeighbourAdvertisement],
  ['IP socket address', endpoint, decodeIpSocketAddress],
  ['netlink socket address', endpoint, netlinkPortId],
];

test.each(decoders)('%s: any bytes give a value or a DecodeError', (_, valid, decode) => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated(valid)), (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }),
    limits,
  );
});

test('what the encoders write, the decoders read back', () => {
  fc.assert(
    fc.property(mac, ipv4, ipv6, fc.boolean(), (hardware, four, six, isRouter) => {
      const arp = decodeGratuitousArp(encodeGratuitousArp({ mac: hardware, address: four }));
      const advertisement = decodeNeighbourAdvertisement(
        encodeNeighbourAdvertisement({ mac: hardware, address: six, isRouter }),
      );
      return (
        ipEquals(arp.address, four) &&
        ipEquals(advertisement.address, six) &&
        advertisement.isRouter === isRouter &&
        Buffer.compare(arp.mac, hardware) === 0 &&
        Buffer.compare(advertisement.mac, hardware) === 0
      );
    }),
    limits,
  );
});

test('addresses survive text, and any text parses or is refused', () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), fc.string(), (address, text) => {
      const again = parseIp(formatIp(address));
      parseIp(text);
      return again !== undefined && ipEquals(again, address);
    }),
    limits,
  );
});
