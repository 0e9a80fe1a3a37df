/** Headers byte by byte, and the filter run over datagrams by an interpreter of classic BPF. */
import { parseIp } from '../../../src/base/ipAddress.js';
import { beatFilter, beatPrefix, probeFilter } from '../../../src/net/beat/beatFrames.js';
import { beatDatagram } from '../../support/net/beatDatagrams.js';
import { runFilter } from '../../support/net/classicFilter.js';

const pairs = {
  v4: { own: parseIp('10.9.0.1')!, peer: parseIp('10.9.0.2')!, port: 3781 },
  v6: { own: parseIp('fe80::1')!, peer: parseIp('fe80::2')!, port: 3781 },
};

test('the prefix is that of the datagram, but for lengths and checksums', () => {
  for (const { own, peer, port } of Object.values(pairs)) {
    const rest = { session: '0000000000000000', sequence: 1 };
    const whole = beatDatagram({ source: own, destination: peer, port, ...rest });
    const prefix = Buffer.from(beatPrefix({ own, peer, port }));
    const blanked = Buffer.from(whole.subarray(0, prefix.length));
    const ip = prefix.length - 8;
    if (own.family === 4) {
      blanked.writeUInt16BE(0, 2);
      blanked.writeUInt16BE(0, 10);
    } else {
      blanked.writeUInt16BE(0, 4);
    }
    blanked.writeUInt32BE(0, ip + 4);
    expect(prefix.toString('hex')).toBe(blanked.toString('hex'));
  }
});

describe.each(['v4', 'v6'] as const)('the filter of a path, %s', (version) => {
  const ends = pairs[version];
  const filter = beatFilter(ends);
  const good = (content = 0): Buffer =>
    beatDatagram({
      ...{ source: ends.peer, destination: ends.own, port: ends.port },
      ...{ session: '0000000000000000', sequence: 1, content: new Uint8Array(content) },
    });
  const ip = version === 'v4' ? 20 : 40;

  test('lets the shortest and the longest beat through, to this machine or to everybody', () => {
    for (const packet of [good(), good(512)]) {
      expect(runFilter(filter, packet, 0)).toBe(true);
      expect(runFilter(filter, packet, 1)).toBe(true);
    }
  });

  test('refuses what leaves, what is for others, and lengths that no beat has', () => {
    expect([2, 3, 4].map((type) => runFilter(filter, good(), type))).toEqual([false, false, false]);
    expect(runFilter(filter, good(513), 0)).toBe(false);
    const short = good();
    short.writeUInt16BE(55, ip + 4);
    expect(runFilter(filter, short, 0)).toBe(false);
    expect(runFilter(filter, good().subarray(0, ip), 0)).toBe(false);
  });

  const hops = version === 'v4' ? 8 : 7;
  const protocol = version === 'v4' ? 9 : 6;
  const last = ip - 1;
  test.each([
    ['version', 0],
    ['hops', hops],
    ['protocol', protocol],
    ['first byte of the source', version === 'v4' ? 12 : 8],
    ['last byte of the source', version === 'v4' ? 15 : 23],
    ['last byte of the destination', last],
    ['port', ip + 3],
  ])('refuses another %s', (_name, at) => {
    const packet = good();
    packet[at] = (packet[at] ?? 0) ^ 0x10;
    expect(runFilter(filter, packet, 0)).toBe(false);
  });
});

test('a fragment is refused, "do not fragment" is none', () => {
  const ends = pairs.v4;
  const packet = beatDatagram({
    ...{ source: ends.peer, destination: ends.own, port: ends.port },
    ...{ session: '0000000000000000', sequence: 1 },
  });
  for (const [flags, passes] of [
    [0x4000, true],
    [0x0000, true],
    [0x2000, false],
    [0x0001, false],
  ] as const) {
    packet.writeUInt16BE(flags, 6);
    expect(runFilter(beatFilter(ends), packet, 0)).toBe(passes);
  }
});

test('the probe is seen when it comes in, and not when it leaves', () => {
  expect(runFilter(probeFilter(), Buffer.alloc(16), 0)).toBe(true);
  expect(runFilter(probeFilter(), Buffer.alloc(16), 4)).toBe(false);
});
