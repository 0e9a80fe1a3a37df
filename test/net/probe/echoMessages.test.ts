import {
  decodeEchoReply,
  EchoRequest,
  ipv4Packet,
  isOwnPayload,
  splitIpv4,
} from '../../../src/net/probe/echoMessages.js';

const owner = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const request = (family: 4 | 6, size = 24): Uint8Array =>
  new EchoRequest(family, 0x1234, owner, size).prepare(0x5678, 0xa1a2a3a4, 0xb1b2b3b4);

/** As the other side answers: another type, and the checksum for that. */
function replyTo(message: Uint8Array): Uint8Array {
  const reply = new Uint8Array(message);
  reply[0] = 0;
  const view = new DataView(reply.buffer);
  // RFC 1624: the type falls by 8 in the first word.
  const sum = view.getUint16(2) + 0x0800;
  view.setUint16(2, (sum & 0xffff) + (sum >> 16));
  return reply;
}

test('a request is on the wire as RFC 792 and RFC 4443 say', () => {
  const rest = '12345678' + '0102030405060708' + 'a1a2a3a4b1b2b3b4' + '6b'.repeat(8);
  expect(Buffer.from(request(4)).toString('hex').slice(8)).toBe(rest);
  expect(Buffer.from(request(4)).toString('hex').slice(0, 4)).toBe('0800');
  expect(Buffer.from(request(6)).toString('hex')).toBe(`80000000${rest}`);
});

test('what is prepared for the next probe differs in number, nonce and checksum', () => {
  const made = new EchoRequest(4, 1, owner, 24);
  const first = Buffer.from(made.prepare(1, 1, 1)).toString('hex');
  const second = Buffer.from(made.prepare(2, 3, 4)).toString('hex');
  expect(second).not.toBe(first);
  expect(Buffer.from(made.prepare(1, 1, 1)).toString('hex')).toBe(first);
});

test('a reply is read, and proven by its payload', () => {
  const reply = decodeEchoReply(4, replyTo(request(4)));
  expect(reply).toMatchObject({ identifier: 0x1234, sequence: 0x5678 });
  const proof = (size: number, high = 0xa1a2a3a4, low = 0xb1b2b3b4): boolean =>
    isOwnPayload(reply?.payload ?? new Uint8Array(0), owner, high, low, size);
  expect(proof(24)).toBe(true);
  expect(proof(25)).toBe(false);
  expect(proof(24, 0xa1a2a3a5)).toBe(false);
  expect(proof(24, 0xa1a2a3a4, 0)).toBe(false);
  const strange = new Uint8Array(owner).fill(9);
  expect(isOwnPayload(reply?.payload ?? strange, strange, 0xa1a2a3a4, 0xb1b2b3b4, 24)).toBe(false);
});

test('each byte of a reply counts', () => {
  const reply = replyTo(request(4));
  for (let i = 0; i < reply.length; i++) {
    const changed = new Uint8Array(reply);
    changed[i] = (changed[i] ?? 0) ^ 0x10;
    expect(decodeEchoReply(4, changed)).toBeUndefined();
  }
  for (let length = 0; length < reply.length; length++) {
    const cut = decodeEchoReply(4, reply.subarray(0, length));
    const isOwn = cut !== undefined && isOwnPayload(cut.payload, owner, 0xa1a2a3a4, 0xb1b2b3b4, 24);
    expect(isOwn).toBe(false);
  }
});

test('a request is no reply', () => {
  expect(decodeEchoReply(4, request(4))).toBeUndefined();
  expect(decodeEchoReply(6, request(6))).toBeUndefined();
});

test('an IPv4 packet is split into source and message, options or not', () => {
  const target = Uint8Array.from([10, 0, 0, 1]);
  const source = Uint8Array.from([10, 0, 0, 2]);
  const packet = ipv4Packet(request(4), target, source, 7);
  expect(Buffer.from(packet.subarray(0, 20)).toString('hex')).toBe(
    '45000034' + '00000000' + '07010000' + '0a000002' + '0a000001',
  );
  expect(splitIpv4(packet)).toEqual({ source, message: request(4) });
  const withOptions = Uint8Array.from([0x46, ...packet.subarray(1, 20), 1, 1, 1, 1, 0, 0]);
  expect(splitIpv4(withOptions)?.message).toEqual(Uint8Array.of(0, 0));
  expect(splitIpv4(packet.subarray(0, 19))).toBeUndefined();
  expect(splitIpv4(Uint8Array.from([0x60, ...packet.subarray(1)]))).toBeUndefined();
  expect(ipv4Packet(request(4), target, undefined, 7).subarray(12, 16)).toEqual(new Uint8Array(4));
});
