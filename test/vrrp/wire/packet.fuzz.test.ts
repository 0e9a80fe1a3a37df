import fc from 'fast-check';
import { DecodeError } from '../../../src/base/errors.js';
import { ipFromBytes, type IpAddress, type IpFamily } from '../../../src/base/ipAddress.js';
import { judge } from '../../../src/vrrp/machine/advertAcceptance.js';
import {
  decodeAdvert,
  encodeAdvert,
  hasValidChecksum,
  type Advert,
} from '../../../src/vrrp/wire/packet.js';
import { fromJsonLine, toJsonLine } from '../../../src/vrrp/machine/recording.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

const interruptAfterTimeLimit = process.env['KEEPSTATE_FULL'] === '1' ? 30_000 : 3_000;
const bounded = { numRuns: 1_000_000, interruptAfterTimeLimit, markInterruptAsFailure: false };

const byte = fc.integer({ min: 0, max: 255 });
const family = fc.constantFrom<IpFamily>(4, 6);

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function address(of: IpFamily): fc.Arbitrary<IpAddress> {
  return bytes(of === 4 ? 4 : 16).map((value) => ipFromBytes(value) ?? ip('0.0.0.0'));
}

function advert(of: IpFamily): fc.Arbitrary<Advert> {
  const fields = {
    type: fc.integer({ min: 0, max: 15 }),
    virtualRouterId: byte,
    priority: byte,
    addresses: fc.array(address(of), { maxLength: 6 }),
  };
  return fc.oneof(
    fc.record({
      version: fc.constant(2 as const),
      ...fields,
      authenticationType: byte,
      intervalSeconds: byte,
      authenticationData: bytes(of === 4 ? 8 : 0),
    }),
    fc.record({
      version: fc.constant(3 as const),
      ...fields,
      intervalCentiseconds: fc.integer({ min: 0, max: 4095 }),
    }),
  );
}

const sealed = family.chain((of) =>
  fc.record({
    of: fc.constant(of),
    advert: advert(of),
    source: address(of),
    destination: address(of),
  }),
);

test('arbitrary bytes decode or are a decode error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), family, (payload, of) => {
      try {
        decodeAdvert(payload, of);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }),
    bounded,
  );
}, 60_000);

test('every advert survives encode and decode, with a valid checksum', () => {
  fc.assert(
    fc.property(sealed, ({ of, advert: value, source, destination }) => {
      const carriage = { source, destination };
      const encoded = encodeAdvert(value, carriage);
      expect(decodeAdvert(encoded, of)).toEqual(value);
      expect(hasValidChecksum(encoded, value.version, carriage)).toBe(true);
    }),
    { ...bounded, numRuns: 20_000 },
  );
}, 60_000);

test('arbitrary datagrams are judged without an error, and recorded without loss', () => {
  const settings = instanceSettings({ checkUnicastSource: true });
  const mutated = fc
    .tuple(sealed, fc.array(fc.tuple(fc.nat(60), byte), { maxLength: 3 }))
    .map(([{ advert: value, source, destination }, changes]) => {
      const payload = encodeAdvert(value, { source, destination });
      for (const [offset, change] of changes) {
        if (offset < payload.length) payload[offset] = change;
      }
      return payload;
    });
  const datagram = fc.record({
    source: address(4),
    destination: fc.option(address(4), { nil: undefined }),
    ttl: fc.option(byte, { nil: undefined }),
    totalLength: fc.option(fc.nat(100), { nil: undefined }),
    payload: fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated),
  });
  fc.assert(
    fc.property(datagram, (value) => {
      expect(['accepted', 'rejected']).toContain(judge(value, settings, undefined).kind);
      expect(fromJsonLine(toJsonLine(value))).toEqual(value);
    }),
    { ...bounded, numRuns: 50_000 },
  );
}, 60_000);
