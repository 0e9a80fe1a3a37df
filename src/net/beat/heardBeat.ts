/**
 * A beat as the thread hands it up: verified, without its seal. src/net/native/beat_wire.h draws
 * it.
 */
import { ByteReader } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';

const magic = 0x6b73_6201;

export interface HeardBeat {
  /** 16 hexadecimal digits, as BeatThread takes them. */
  readonly session: string;
  /** One for all paths of a node; grows by one with each of its ticks. */
  readonly sequence: number;
  /** Milliseconds between its beats on the path that brought this one. */
  readonly interval: number;
  /** Milliseconds by which its thread was late at worst, in the last 10 to 20 s. */
  readonly lateness: number;
  /** Milliseconds since its main loop last turned. */
  readonly loopAge: number;
  /** What the other side handed to `say`. */
  readonly content: Uint8Array;
}

/** `content` is a copy. Throws DecodeError. */
export function decodeHeardBeat(bytes: Uint8Array): HeardBeat {
  const reader = new ByteReader(bytes);
  const found = reader.uint32();
  if (found !== magic) throw new DecodeError('format', 'not a beat', { magic: found });
  const interval = reader.uint16();
  const lateness = reader.uint16();
  const session = reader.uint64().toString(16).padStart(16, '0');
  const sequence = Number(reader.uint64());
  reader.skip(4);
  const loopAge = reader.uint32();
  const content = new Uint8Array(reader.rest());
  return { session, sequence, interval, lateness, loopAge, content };
}
