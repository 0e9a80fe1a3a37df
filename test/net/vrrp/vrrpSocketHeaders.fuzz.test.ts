import * as fc from 'fast-check';
import { ipSocketAddress } from '../../../src/net/socket/sockaddr.js';
import {
  decodeIpv4Datagram,
  decodeIpv6Datagram,
  encodeDatagram,
} from '../../../src/net/vrrp/vrrpSocketHeaders.js';

const limit = { interruptAfterTimeLimit: 3_000, numRuns: 20_000 };

describe('VRRP datagram headers', () => {
  test('arbitrary IPv4 bytes give a datagram whose payload lies within them, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const datagram = decodeIpv4Datagram(bytes);
        if (datagram !== undefined) {
          expect(datagram.payload.length).toBeLessThanOrEqual(bytes.length - 20);
        }
      }),
      limit,
    );
  });

  test('arbitrary control messages and senders never throw', () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (payload, sender, control) => {
        const datagram = decodeIpv6Datagram(payload, sender, control);
        if (datagram !== undefined) expect(datagram.payload).toEqual(payload);
      }),
      limit,
    );
    const sender = ipSocketAddress({ family: 6, bytes: new Uint8Array(16) }, 0);
    fc.assert(
      fc.property(bytes, (control) => {
        expect(decodeIpv6Datagram(new Uint8Array(8), sender, control)?.payload).toHaveLength(8);
      }),
      limit,
    );
  });

  test('what is encoded for IPv4 is decoded again', () => {
    const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(
        address,
        address,
        fc.integer({ min: 0, max: 65535 }),
        fc.integer({ min: 0, max: 255 }),
        fc.uint8Array({ maxLength: 200 }),
        (from, to, identification, ttl, payload) => {
          const source = { family: 4 as const, bytes: from };
          const destination = { family: 4 as const, bytes: to };
          const packet = encodeDatagram({ source, destination, identification, ttl, payload });
          expect(decodeIpv4Datagram(packet)).toEqual({
            source,
            destination,
            ttl,
            totalLength: 20 + payload.length,
            payload,
          });
        },
      ),
      limit,
    );
  });
});
