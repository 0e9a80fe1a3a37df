/**
 * The binary messages of the peer channel: two nodes compare which flows they have by 64 bits of
 * hash per flow. They stand behind the same four bytes as the JSON objects of peerMessage.ts, and
 * the fifth byte, which is never `{`, says which one it is. Numbers are in network order; a key is
 * two numbers, and its first byte is its part.
 *
 *   "KSP1" 1  token:4  part:1  count:4 high:4 low:4      digest of the keys of one part
 *   "KSP1" 2  token:4  part:1  same:1  key:8 ...         same digest, and which of these the MASTER neither holds nor ended
 *   "KSP1" 3  token:4  number:4  key:8 ...               what of these?
 *   "KSP1" 4  token:4  number:4  verdict:1 ...           one for each key of the question
 *
 * A keepstate 0.1.0 takes them for broken JSON and ignores them.
 */
import type { PartDigest } from './keyDigests.js';

/** What a MASTER says of a flow. */
export const keyVerdict = { neither: 0, held: 1, ended: 2 } as const;

/** Keys, as pairs of words. */
export type KeyWords = Uint32Array;

export type KeyMessage =
  | ({ readonly kind: 'part'; readonly token: number; readonly part: number } & PartDigest)
  | {
      readonly kind: 'partAnswer';
      readonly token: number;
      readonly part: number;
      /**
       * False: the digests differ, or more is listed than a message holds; then keys are asked for.
       */
      readonly isSame: boolean;
      readonly keys: KeyWords;
    }
  | {
      readonly kind: 'keys';
      readonly token: number;
      readonly number: number;
      readonly keys: KeyWords;
    }
  | {
      readonly kind: 'keysAnswer';
      readonly token: number;
      readonly number: number;
      readonly verdicts: Uint8Array;
    };

/** Keys of one message. */
export const mostKeys = 120;

const magic = [0x4b, 0x53, 0x50, 0x31] as const;
const code = { part: 1, partAnswer: 2, keys: 3, keysAnswer: 4 } as const;
const keyBytes = 8;
/** From the magic to the keys, the digest or the verdicts. */
const headBytes = { part: 10, partAnswer: 11, keys: 13, keysAnswer: 13 } as const;
const digestBytes = 12;

export function encodeKeyMessage(message: KeyMessage): Uint8Array {
  const head = headBytes[message.kind];
  const bytes = new Uint8Array(head + bodyBytes(message));
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  bytes[4] = code[message.kind];
  view.setUint32(5, message.token);
  switch (message.kind) {
    case 'part':
      bytes[9] = message.part;
      [message.count, message.high, message.low].forEach((value, i) => {
        view.setUint32(head + 4 * i, value);
      });
      return bytes;
    case 'partAnswer':
      bytes[9] = message.part;
      bytes[10] = message.isSame ? 1 : 0;
      putKeys(view, head, message.keys);
      return bytes;
    case 'keys':
      view.setUint32(9, message.number);
      putKeys(view, head, message.keys);
      return bytes;
    case 'keysAnswer':
      view.setUint32(9, message.number);
      bytes.set(message.verdicts, head);
      return bytes;
  }
}

/** Whether it is for `decodeKeyMessage`, well-formed or not. */
export function isKeyMessage(datagram: Uint8Array): boolean {
  return magic.every((byte, i) => datagram[i] === byte) && (datagram[4] ?? 0x7b) !== 0x7b;
}

/** undefined where it is none, or of a kind that this version does not know. */
export function decodeKeyMessage(datagram: Uint8Array): KeyMessage | undefined {
  if (!isKeyMessage(datagram)) return undefined;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  switch (datagram[4]) {
    case code.part:
      return decodePart(view);
    case code.partAnswer:
      return decodePartAnswer(view);
    case code.keys:
      return decodeKeys(view);
    case code.keysAnswer:
      return decodeKeysAnswer(view);
    case undefined:
    default:
      return undefined;
  }
}

function decodePart(view: DataView): KeyMessage | undefined {
  const head = headBytes.part;
  if (view.byteLength !== head + digestBytes) return undefined;
  const digest = {
    count: view.getUint32(head),
    high: view.getUint32(head + 4),
    low: view.getUint32(head + 8),
  };
  return { kind: 'part', token: view.getUint32(5), part: view.getUint8(9), ...digest };
}

function decodePartAnswer(view: DataView): KeyMessage | undefined {
  const keys = readKeys(view, headBytes.partAnswer);
  if (keys === undefined) return undefined;
  const [token, part, same] = [view.getUint32(5), view.getUint8(9), view.getUint8(10)];
  return same > 1 ? undefined : { kind: 'partAnswer', token, part, isSame: same === 1, keys };
}

function decodeKeys(view: DataView): KeyMessage | undefined {
  const keys = readKeys(view, headBytes.keys);
  if (keys === undefined) return undefined;
  return { kind: 'keys', token: view.getUint32(5), number: view.getUint32(9), keys };
}

function decodeKeysAnswer(view: DataView): KeyMessage | undefined {
  const count = view.byteLength - headBytes.keysAnswer;
  if (count < 0 || count > mostKeys) return undefined;
  const verdicts = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const verdict = view.getUint8(headBytes.keysAnswer + i);
    if (verdict > keyVerdict.ended) return undefined;
    verdicts[i] = verdict;
  }
  return { kind: 'keysAnswer', token: view.getUint32(5), number: view.getUint32(9), verdicts };
}

function bodyBytes(message: KeyMessage): number {
  if (message.kind === 'part') return digestBytes;
  return message.kind === 'keysAnswer' ? message.verdicts.length : message.keys.length * 4;
}

function putKeys(view: DataView, at: number, keys: KeyWords): void {
  keys.forEach((value, i) => {
    view.setUint32(at + 4 * i, value);
  });
}

/** undefined where they are not whole, or more than one message holds. */
function readKeys(view: DataView, at: number): KeyWords | undefined {
  const bytes = view.byteLength - at;
  if (bytes < 0 || bytes % keyBytes !== 0 || bytes > mostKeys * keyBytes) return undefined;
  const keys = new Uint32Array(bytes / 4);
  for (let i = 0; i < keys.length; i++) keys[i] = view.getUint32(at + 4 * i);
  return keys;
}
