import { Impairment, seededRandom, vnetHeaderBytes } from './impairment.js';

/** An IPv4 UDP frame to port 3780 with `payload`, checksum left to the interface. */
function frame(payload: string): Uint8Array {
  const vnet = Buffer.from('0100000000002200' + '0600', 'hex');
  const ethernet = Buffer.from('0200000000020200000000010800', 'hex');
  const ip = Buffer.from('4500000000004000401100000a0000010a000002', 'hex');
  ip.writeUInt16BE(28 + payload.length, 2);
  const udp = Buffer.from('c0000ec400000000', 'hex');
  udp.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([vnet, ethernet, ip, udp, Buffer.from(payload)]);
}

const payloadStart = vnetHeaderBytes + 14 + 20 + 8;

describe('impairment', () => {
  test('the same seed gives the same fates, another seed others', () => {
    const fates = (seed: number): number[] => {
      const impairment = new Impairment(seed);
      impairment.settings = { drop: 30, duplicate: 30 };
      return Array.from({ length: 200 }, () => impairment.decide(frame('x')).length);
    };
    expect(fates(1)).toEqual(fates(1));
    expect(fates(1)).not.toEqual(fates(2));
    expect(new Set(fates(1))).toEqual(new Set([0, 1, 2]));
  });

  test('shares come out as asked', () => {
    const impairment = new Impairment(7);
    impairment.settings = { drop: 20 };
    for (let i = 0; i < 10_000; i++) impairment.decide(frame('x'));
    expect(impairment.counts.dropped).toBeGreaterThan(1_800);
    expect(impairment.counts.dropped).toBeLessThan(2_200);
  });

  test('frames to other ports pass untouched', () => {
    const impairment = new Impairment(1);
    impairment.settings = { drop: 100, udpPort: 3781 };
    expect(impairment.decide(frame('x'))).toHaveLength(1);
    impairment.settings = { drop: 100, udpPort: 3780 };
    expect(impairment.decide(frame('x'))).toHaveLength(0);
  });

  test('mangling changes one payload byte and leaves the checksum to be done', () => {
    const impairment = new Impairment(1);
    impairment.settings = { mangle: 100 };
    const [copy] = impairment.decide(frame('hello'));
    const before = frame('hello');
    const changed = [...before.keys()].filter((i) => before[i] !== copy?.bytes[i]);
    expect(changed).toHaveLength(1);
    expect(changed[0]).toBeGreaterThanOrEqual(payloadStart);
    expect(copy?.bytes[0]).toBe(1);
  });

  test('corrupting finishes the checksum first, so that the receiver notices', () => {
    const impairment = new Impairment(3);
    impairment.settings = { corrupt: 100 };
    const [copy] = impairment.decide(frame('hello'));
    expect(copy?.bytes[0]).toBe(0);
    expect(impairment.counts.corrupted).toBe(1);
  });

  test('the generator is uniform enough', () => {
    const random = seededRandom(1);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) sum += random();
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });
});
