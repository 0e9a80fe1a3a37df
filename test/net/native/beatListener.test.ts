/** What counts as a beat of the peer, and why the rest does not. */
import { parseIp } from '../../../src/base/ipAddress.js';
import { decodeHeardBeat } from '../../../src/net/beat/heardBeat.js';
import { BeatDoor, peerSession } from '../../support/net/beatDoor.js';

const refusal = { length: 1, address: 2, format: 3, seal: 4, session: 5, sequence: 6 } as const;
const key = Buffer.alloc(32, 7);
const otherKey = Buffer.alloc(32, 8);

const doors: BeatDoor[] = [];
function open(): BeatDoor {
  const door = new BeatDoor();
  doors.push(door);
  return door;
}
afterEach(() => {
  for (const door of doors.splice(0)) door.native.close();
});

describe.each([
  [0, 'IPv4'],
  [1, 'IPv6'],
])('path %i, %s', (index) => {
  test('a beat of the peer makes it living, with and without a key', () => {
    for (const secret of [undefined, key]) {
      const door = open();
      if (secret !== undefined) door.native.setKey(Buffer.from(secret));
      expect(door.report().paths.get(index)?.state).toBe('unknown');
      const sealed = secret === undefined ? {} : { key: secret };
      expect(door.hear(index, { ...sealed, content: Buffer.from('hello') })).toBe(0);
      const path = door.report().paths.get(index);
      expect(path).toMatchObject({ state: 'living', accepted: 1, peerInterval: 20 });
    }
  });

  test('each refusal has its reason, and is counted', () => {
    const door = open();
    door.native.setKey(Buffer.from(key));
    const good = door.datagram(index, { key });
    const changed = (at: number): Buffer => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    };
    const header = index === 0 ? 20 : 40;
    const deliver = (bytes: Buffer): number => door.native.deliver(index, bytes);
    expect(deliver(good.subarray(0, good.length - 1))).toBe(refusal.length);
    expect(deliver(good.subarray(0, 10))).toBe(refusal.length);
    expect(deliver(changed(header - 1))).toBe(refusal.address);
    expect(deliver(changed(header + 3))).toBe(refusal.address);
    expect(door.hear(index, { key, magic: 0x6b736202 })).toBe(refusal.format);
    expect(deliver(changed(good.length - 1))).toBe(refusal.seal);
    expect(deliver(changed(header + 8 + 20))).toBe(refusal.seal);
    expect(door.hear(index, { key: otherKey })).toBe(refusal.seal);
    expect(door.hear(index, {})).toBe(refusal.seal);
    expect(door.hear(index, { key, session: '1111111111111111' })).toBe(refusal.session);
    expect(deliver(good)).toBe(0);
    expect(deliver(good)).toBe(refusal.sequence);
    expect(door.report().paths.get(index)?.refused).toEqual({
      ...{ length: 2, address: 2, format: 1, seal: 4, session: 1, sequence: 1 },
    });
  });
});

test('a beat recorded on one path counts on no other, and none that is sent back', () => {
  const door = open();
  door.native.setKey(Buffer.from(key));
  const [own, peer] = [parseIp('10.9.0.1')!, parseIp('10.9.0.2')!];
  const elsewhere = door.datagram(0, { key, source: parseIp('10.8.0.2')!, destination: own });
  // Whoever replays it writes the addresses of this path over it.
  peer.bytes.forEach((byte, i) => (elsewhere[12 + i] = byte));
  expect(door.native.deliver(0, elsewhere)).toBe(refusal.seal);
  const returned = door.datagram(0, { key, source: own, destination: peer });
  peer.bytes.forEach((byte, i) => (returned[12 + i] = byte));
  own.bytes.forEach((byte, i) => (returned[16 + i] = byte));
  expect(door.native.deliver(0, returned)).toBe(refusal.seal);
});

test('the newest beat over all paths is handed up; an older one says that its path lives', () => {
  const door = open();
  const content = Buffer.from('two');
  expect(door.hear(0, { sequence: 2, content, lateness: 7, loopAge: 1_234 })).toBe(0);
  expect(door.hear(1, { sequence: 1, content: Buffer.from('one') })).toBe(0);
  expect(door.report().paths.get(1)?.state).toBe('living');
  expect(decodeHeardBeat(door.newest())).toEqual({
    ...{ session: peerSession, sequence: 2, interval: 20, lateness: 7, loopAge: 1_234 },
    content: new Uint8Array(content),
  });
  expect(door.report()).toMatchObject({ peerLateness: 0, peerHeard: expect.any(Number) as number });
});

test('numbers that are missing on a living path are lost', () => {
  const door = open();
  for (const number of [5, 6, 9, 10]) door.hear(0, { sequence: number, number });
  expect(door.report().paths.get(0)).toMatchObject({ accepted: 4, lost: 2 });
  door.hear(0, { sequence: 11, number: 3 });
  expect(door.report().paths.get(0)).toMatchObject({ accepted: 5, lost: 2 });
});

test('a verified beat of another session is handed up apart, and believed when told so', () => {
  const door = open();
  door.hear(0, { sequence: 900 });
  const session = 'abcdefabcdefabcd';
  expect(door.hear(0, { session, sequence: 3 })).toBe(refusal.session);
  expect(decodeHeardBeat(door.stranger()).session).toBe(session);
  expect(door.report().paths.get(0)?.state).toBe('living');
  door.believe(session);
  expect(door.report().paths.get(0)?.state).toBe('unknown');
  expect(door.newest()).toHaveLength(0);
  expect(door.hear(0, { session, sequence: 3 })).toBe(0);
  // The same session told again changes nothing.
  door.believe(session);
  expect(door.report().paths.get(0)?.state).toBe('living');
});

test('what ended in order is unknown, and an old beat does not bring it back', () => {
  const door = open();
  door.hear(0, { sequence: 8 });
  door.native.forgetPath(0);
  expect(door.report().paths.get(0)?.state).toBe('unknown');
  expect(door.hear(0, { sequence: 8 })).toBe(refusal.sequence);
  expect(door.hear(0, { sequence: 9 })).toBe(0);
  expect(door.report().paths.get(0)?.state).toBe('living');
});

test('a new key wipes the bytes that were handed over, and each path is to be heard anew', () => {
  const door = open();
  door.hear(0, {});
  const handed = Buffer.from(key);
  expect(door.native.setKey(handed)).toBe(0);
  expect(handed).toEqual(Buffer.alloc(32));
  expect(door.report().paths.get(0)?.state).toBe('unknown');
  expect(door.hear(0, { sequence: 2 })).toBe(refusal.seal);
  expect(door.hear(0, { sequence: 2, key })).toBe(0);
});

test('content of 512 bytes is taken, of 513 refused, both ways', () => {
  const door = open();
  expect(door.hear(0, { content: Buffer.alloc(512, 1) })).toBe(0);
  expect(door.hear(0, { sequence: 2, content: Buffer.alloc(513, 1) })).toBe(refusal.length);
  const [most, more] = [Buffer.alloc(512), Buffer.alloc(513)];
  expect(door.native.setBeat(most, most, 0, 0, 0)).toBe(0);
  expect(door.native.setBeat(more, most, 0, 0, 0)).toBe(90);
  expect(door.native.setBeat(most, more, 0, 0, 0)).toBe(90);
});
