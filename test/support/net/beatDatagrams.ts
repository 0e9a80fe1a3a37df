/** Beats as whole IP datagrams, written independently of the addon: the oracle of its tests. */
import { createHmac } from 'node:crypto';
import type { IpAddress } from '../../../src/base/ipAddress.js';

export interface BeatOptions {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly port: number;
  /** 16 hexadecimal digits. */
  readonly session: string;
  readonly sequence: number;
  readonly number?: number;
  readonly interval?: number;
  readonly lateness?: number;
  readonly loopAge?: number;
  readonly content?: Uint8Array;
  readonly key?: Uint8Array;
  readonly magic?: number;
}

export function beatDatagram(options: BeatOptions): Buffer {
  const { source, destination, port } = options;
  const beat = sealedBeat(options);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(port, 0);
  udp.writeUInt16BE(port, 2);
  udp.writeUInt16BE(8 + beat.length, 4);
  udp.writeUInt16BE(udpChecksum(source, destination, Buffer.concat([udp, beat])), 6);
  return Buffer.concat([ipHeader(source, destination, 8 + beat.length), udp, beat]);
}

function sealedBeat(options: BeatOptions): Buffer {
  const { magic = 0x6b736201, session, sequence, number = sequence } = options;
  const { interval = 20, lateness = 0, loopAge = 0, content = new Uint8Array(0) } = options;
  const header = Buffer.alloc(32);
  header.writeUInt32BE(magic, 0);
  header.writeUInt16BE(interval, 4);
  header.writeUInt16BE(lateness, 6);
  header.write(session, 8, 'hex');
  header.writeBigUInt64BE(BigInt(sequence), 16);
  header.writeUInt32BE(number, 24);
  header.writeUInt32BE(loopAge, 28);
  const { source, destination, key } = options;
  const sealed = Buffer.concat([source.bytes, destination.bytes, header, content]);
  return Buffer.concat([header, content, key === undefined ? fnv(sealed) : hmac(key, sealed)]);
}

function hmac(key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, 16);
}

/** FNV-1a of 64 bits, and 8 zero bytes. */
function fnv(bytes: Uint8Array): Buffer {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  const seal = Buffer.alloc(16);
  seal.writeBigUInt64BE(hash, 0);
  return seal;
}

function ipHeader(source: IpAddress, destination: IpAddress, payload: number): Buffer {
  if (source.family === 6) {
    const start = Buffer.from('6c000000000011ff', 'hex');
    start.writeUInt16BE(payload, 4);
    return Buffer.concat([start, source.bytes, destination.bytes]);
  }
  const start = Buffer.from('45c000000000400000110000', 'hex');
  start.writeUInt8(255, 8);
  start.writeUInt16BE(20 + payload, 2);
  const header = Buffer.concat([start, source.bytes, destination.bytes]);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function udpChecksum(source: IpAddress, destination: IpAddress, udp: Buffer): number {
  const length = Buffer.from([0, 0, udp.length >> 8, udp.length & 0xff, 0, 0, 0, 17]);
  const sum = checksum(Buffer.concat([source.bytes, destination.bytes, length, udp]));
  return sum === 0 ? 0xffff : sum;
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  bytes.forEach((byte, i) => (sum += i % 2 === 0 ? byte << 8 : byte));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
