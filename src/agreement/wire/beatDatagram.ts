/**
 * A beat as a datagram, as the beat thread builds it (src/net/native/beat_wire.h). In network order:
 *
 *    0 u32 magic "ksb", version | 4 u16 interval of this path, ms | 6 u16 worst lateness, ms
 *    8 u64 session | 16 u64 sequence | 24 u32 number on this path | 28 u32 age of main's turn, ms
 *   32 content, 0 to 512 bytes | seal, 16 bytes
 *
 * The seal is HMAC-SHA-256, cut, of source address, destination address and all that stands before
 * it, so that no beat counts on another path or the other way. Without a key FNV-1a of 64 bits and
 * eight zeros: that finds accidents, and no malice.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader, ByteWriter } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import type { IpAddress } from '../../base/ipAddress.js';

const magic = 0x6b73_6201;
const headerBytes = 32;
const mostContent = 512;
const sealBytes = 16;
const fnvStart = 0xcbf2_9ce4_8422_2325n;
const fnvPrime = 0x100_0000_01b3n;
const largestUint16 = 0xffff;
const largestUint32 = 0xffff_ffff;

/** Times in milliseconds; what is larger than its field is cut to the largest. */
export interface Beat {
  readonly intervalMs: number;
  readonly latenessMs: number;
  /** Drawn by chance when the process starts. */
  readonly session: bigint;
  /** One for all paths. */
  readonly sequence: bigint;
  /** On this path, so that what is missing was lost. */
  readonly number: number;
  readonly loopAgeMs: number;
  readonly content: Uint8Array;
}

/** On which path, and in which direction. */
export interface BeatWay {
  readonly from: IpAddress;
  readonly to: IpAddress;
  /** undefined: a checksum. */
  readonly key: Uint8Array | undefined;
}

export function encodeBeat(beat: Beat, way: BeatWay): Uint8Array {
  const { content } = beat;
  const writer = new ByteWriter(headerBytes + content.length + sealBytes);
  writer.uint32(magic);
  writer.uint16(Math.min(beat.intervalMs, largestUint16));
  writer.uint16(Math.min(beat.latenessMs, largestUint16));
  writer.uint64(beat.session).uint64(beat.sequence);
  writer.uint32(beat.number).uint32(Math.min(beat.loopAgeMs, largestUint32));
  writer.bytes(content);
  return writer.bytes(sealOf(writer.written(), way)).written();
}

/** Throws DecodeError: no beat (`length`, `magic`), or sealed otherwise (`seal`). */
export function decodeBeat(bytes: Uint8Array, way: BeatWay): Beat {
  const length = bytes.length - headerBytes - sealBytes;
  if (length < 0 || length > mostContent) {
    throw new DecodeError('length', `a datagram of ${bytes.length} bytes is no beat`);
  }
  const reader = new ByteReader(bytes);
  if (reader.uint32() !== magic) throw new DecodeError('magic', 'no beat of this version');
  const sealed = bytes.subarray(0, headerBytes + length);
  if (!timingSafeEqual(sealOf(sealed, way), bytes.subarray(headerBytes + length))) {
    throw new DecodeError('seal', 'sealed by another key, or changed on its way');
  }
  return {
    ...{ intervalMs: reader.uint16(), latenessMs: reader.uint16() },
    ...{ session: reader.uint64(), sequence: reader.uint64() },
    ...{ number: reader.uint32(), loopAgeMs: reader.uint32() },
    content: reader.bytes(length),
  };
}

function sealOf(bytes: Uint8Array, { from, to, key }: BeatWay): Uint8Array {
  if (key !== undefined) {
    const digest = createHmac('sha256', key).update(from.bytes).update(to.bytes).update(bytes);
    return digest.digest().subarray(0, sealBytes);
  }
  const hash = [from.bytes, to.bytes, bytes].reduce(checksum, fnvStart);
  return new ByteWriter(sealBytes).uint64(hash).zeros(8).written();
}

function checksum(start: bigint, bytes: Uint8Array): bigint {
  return bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime), start);
}
