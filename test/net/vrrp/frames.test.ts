import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BugError, DecodeError } from '../../../src/base/errors.js';
import { formatIp, parseIp } from '../../../src/base/ipAddress.js';
import {
  decodeGratuitousArp,
  decodeNeighbourAdvertisement,
  encodeGratuitousArp,
  encodeNeighbourAdvertisement,
} from '../../../src/net/vrrp/frames.js';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly kind?: 'arp' | 'na';
  readonly mac?: string;
  readonly address?: string;
  readonly isRouter?: boolean;
}

function vectors(file: string): Vector[] {
  const path = join(__dirname, '..', '..', 'vectors', 'net', file);
  return (JSON.parse(readFileSync(path, 'utf8')) as { frames: Vector[] }).frames;
}

const virtualMac = '00005e00010a';
/** What the kernel's neighbour cache accepted; the other ARP forms there are for decoding only. */
const accepted: Vector[] = vectors('frames.json').map((vector) =>
  vector.name.includes('ARP')
    ? { ...vector, kind: 'arp', mac: virtualMac, address: '10.5.5.100' }
    : {
        ...vector,
        kind: 'na',
        mac: virtualMac,
        address: 'fd55::100',
        isRouter: vector.name.includes('R=1'),
      },
);
const all = [...vectors('keepalivedFrames.json'), ...accepted];
const sent = all.filter(({ name }) => !/ARP reply|target MAC zero/.test(name));

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

function encode(vector: Vector): Uint8Array {
  const mac = bytes(vector.mac!);
  const address = parseIp(vector.address!)!;
  return vector.kind === 'arp'
    ? encodeGratuitousArp({ mac, address })
    : encodeNeighbourAdvertisement({ mac, address, isRouter: vector.isRouter! });
}

const decoderOf = (
  vector: Vector,
): typeof decodeGratuitousArp | typeof decodeNeighbourAdvertisement =>
  vector.kind === 'arp' ? decodeGratuitousArp : decodeNeighbourAdvertisement;

describe('frames that announce an address', () => {
  test.each(sent)('$name is encoded byte for byte', (vector) => {
    expect(Buffer.from(encode(vector)).toString('hex')).toBe(vector.hex);
  });

  test.each(all)('$name is decoded', (vector) => {
    const decoded = decoderOf(vector)(bytes(vector.hex));
    expect(Buffer.from(decoded.mac).toString('hex')).toBe(vector.mac);
    expect(formatIp(decoded.address)).toBe(vector.address);
    if ('isRouter' in decoded) expect(decoded.isRouter).toBe(vector.isRouter);
  });

  test.each(all)('$name cut at any byte is a DecodeError', (vector) => {
    const whole = bytes(vector.hex);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decoderOf(vector)(whole.subarray(0, length))).toThrow(DecodeError);
    }
  });

  test('a neighbour advertisement with any bit of its ICMPv6 part flipped is refused or differs', () => {
    const vector = all.find(({ kind }) => kind === 'na')!;
    const whole = bytes(vector.hex);
    for (let bit = 54 * 8; bit < whole.length * 8; bit++) {
      const changed = whole.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeNeighbourAdvertisement(changed)).toThrow(DecodeError);
    }
  });

  test('a MAC of the wrong length or an address of the wrong family is our own mistake', () => {
    const mac = new Uint8Array(6);
    const address = parseIp('192.0.2.1')!;
    expect(() => encodeGratuitousArp({ mac: new Uint8Array(8), address })).toThrow(BugError);
    expect(() => encodeNeighbourAdvertisement({ mac, address, isRouter: true })).toThrow(BugError);
  });
});
