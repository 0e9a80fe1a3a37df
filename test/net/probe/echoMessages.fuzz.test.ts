import * as fc from 'fast-check';
import { answeringAddress } from '../../../src/net/probe/arpMessages.js';
import { decodeEchoReply, isOwnPayload, splitIpv4 } from '../../../src/net/probe/echoMessages.js';

const limit = { interruptAfterTimeLimit: 2_000, numRuns: 20_000 };
const owner = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

test('arbitrary bytes are no answer, and nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), fc.constantFrom(4, 6), (bytes, family) => {
      const message = family === 4 ? splitIpv4(bytes)?.message : bytes;
      if (message === undefined) return;
      expect(message.length).toBeLessThanOrEqual(bytes.length);
      const reply = decodeEchoReply(family, message);
      if (reply === undefined) return;
      expect(isOwnPayload(reply.payload, owner, 1, 2, 24)).toBe(false);
    }),
    limit,
  );
});

test('arbitrary frames vouch for no address unless they are ARP replies', () => {
  const mac = new Uint8Array(6).fill(2);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (frame) => {
      const found = answeringAddress(frame, mac);
      if (found !== undefined) expect(frame[13]).toBe(6);
    }),
    limit,
  );
});
