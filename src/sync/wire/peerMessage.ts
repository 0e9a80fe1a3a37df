/**
 * What two keepstate nodes send each other beside the replication protocol: one JSON object per
 * datagram on a port of its own, behind the four bytes `KSP1`. A conntrackd peer does not listen
 * there.
 *
 *   "KSP1" {"kind":"digest","sequence":17,"count":3,"high":1,"low":2}
 *
 * A later format changes the digit; unknown kinds are ignored, so that kinds can be added.
 */

import { printableName } from '../../base/printable.js';
import { isWireRoles, type WireRoles } from './peerRoles.js';

export type PeerMessage =
  | {
      readonly kind: 'hello';
      readonly name: string;
      readonly version: string;
      /** The other side was heard: no need to answer. */
      readonly heard: boolean;
      /**
       * The node never takes the role. Said only where it is so; an older peer does not look at it.
       */
      readonly maintenance?: boolean;
      /** Its groups and instances. A keepstate of before does not say them. */
      readonly roles?: WireRoles;
      /** What the node can do that a keepstate 0.1.0 cannot: `compare`, `targets`. */
      readonly can?: readonly string[];
      /**
       * Said while it is not MASTER: flows that its kernel had when the role left and still has, as
       * far as it knows.
       */
      readonly leftovers?: number;
      /**
       * Said while it is not MASTER: so long ago it was, also in an earlier life of its process.
       */
      readonly wasMasterMs?: number;
      /**
       * In a group, from a node that can be spoken to at its own address: what it shows there
       * (`path`). A number for each life of the process.
       */
      readonly direct?: number;
    }
  /** Beside a group, to the peer's own address: whether the sender hears it there. */
  | { readonly kind: 'path'; readonly token: number; readonly heard: boolean }
  /** Count and fingerprint of the internal cache once all messages before `sequence` were sent. */
  | {
      readonly kind: 'digest';
      readonly sequence: number;
      readonly count: number;
      readonly high: number;
      readonly low: number;
    }
  /** There is no internal cache that could be compared (DisableInternalCache). */
  | { readonly kind: 'noDigest' }
  /** What a node holds, and what it knows of the other's; an older peer does not look at it. */
  | {
      readonly kind: 'holds';
      /** Flows of its kernel; 2^32 - 1 where that does not say it. */
      readonly kernel: number;
      readonly ignored: number;
      readonly internal: number;
      /** 2^32 - 1 where none is kept (DisableExternalCache). */
      readonly external: number;
      /**
       * Number of the digest that was compared last (0: none), and whether the external cache was
       * equal to it.
       */
      readonly compared: number;
      readonly equal: boolean;
      /** `equal`, `different` or `unknown`: its external cache beside the other's internal one. */
      readonly parity: string;
      /**
       * Why its internal cache may not be what its kernel holds: nothing can be compared. Empty
       * where it is.
       */
      readonly doubt: string;
    }
  /**
   * Everything in the internal cache was sent in messages from `since` on; the last is before
   * `sequence`.
   */
  | {
      readonly kind: 'bulkEnd';
      readonly since: number;
      readonly sequence: number;
      readonly entries: number;
    }
  | { readonly kind: 'bulkEndSeen'; readonly since: number }
  /**
   * The sender has leftovers, and would compare them with what the MASTER holds. Repeated until
   * answered.
   */
  | { readonly kind: 'compare'; readonly token: number }
  /** The answer, and the seeds of the keys in which to compare (keyMessage.ts). */
  | {
      readonly kind: 'comparable';
      readonly token: number;
      readonly state: Comparable;
      readonly first: number;
      readonly second: number;
    }
  /** What the node knows of the targets that it asks; an older peer does not look at it. */
  | {
      readonly kind: 'targets';
      /** `words` of another node are read one by one: what is not understood there is left out. */
      readonly words: readonly unknown[];
    }
  /** Acknowledge at once, when everything before `sequence` is here: somebody waits for it. */
  | { readonly kind: 'acknowledge'; readonly sequence: number }
  | { readonly kind: 'offer'; readonly token: number }
  | {
      readonly kind: 'offerAnswer';
      readonly token: number;
      readonly ready: boolean;
      readonly because: string;
    }
  | { readonly kind: 'resigned'; readonly token: number }
  /**
   * Gave way to a stronger MASTER: was MASTER for `masterMs` until `agoMs` ago. Repeated until
   * answered.
   */
  | {
      readonly kind: 'yielded';
      readonly token: number;
      readonly masterMs: number;
      readonly agoMs: number;
    }
  /**
   * The flows of the one that gave way are merged, or (`merged` false) there was nothing to merge.
   */
  | {
      readonly kind: 'yieldedSeen';
      readonly token: number;
      readonly merged: boolean;
      readonly created: number;
      readonly failed: number;
      readonly durationMs: number;
    };

/** `later`: it reads its tables. `cannot`: it keeps none (DisableInternalCache). */
export type Comparable = 'ready' | 'later' | 'notMaster' | 'cannot';

type Kind = PeerMessage['kind'];

const comparableStates: readonly unknown[] = ['ready', 'later', 'notMaster', 'cannot'];

const magic = 'KSP1';
/** A hostile datagram costs no more than this to parse. */
const longest = 1_024;

/**
 * Fields of each kind and their types; the decoder demands these. What a hello says beyond them may
 * be absent.
 */
const fields: Readonly<Record<Kind, Readonly<Record<string, 'number' | 'string' | 'boolean'>>>> = {
  hello: { name: 'string', version: 'string', heard: 'boolean' },
  path: { token: 'number', heard: 'boolean' },
  digest: { sequence: 'number', count: 'number', high: 'number', low: 'number' },
  noDigest: {},
  holds: {
    kernel: 'number',
    ignored: 'number',
    internal: 'number',
    external: 'number',
    compared: 'number',
    equal: 'boolean',
    parity: 'string',
    doubt: 'string',
  },
  bulkEnd: { since: 'number', sequence: 'number', entries: 'number' },
  bulkEndSeen: { since: 'number' },
  compare: { token: 'number' },
  comparable: { token: 'number', state: 'string', first: 'number', second: 'number' },
  targets: {},
  acknowledge: { sequence: 'number' },
  offer: { token: 'number' },
  offerAnswer: { token: 'number', ready: 'boolean', because: 'string' },
  resigned: { token: 'number' },
  yielded: { token: 'number', masterMs: 'number', agoMs: 'number' },
  yieldedSeen: {
    token: 'number',
    merged: 'boolean',
    created: 'number',
    failed: 'number',
    durationMs: 'number',
  },
};

export function encodePeerMessage(message: PeerMessage): Uint8Array {
  return Buffer.from(magic + JSON.stringify(message), 'utf8');
}

/** undefined where it is not such a message, or of a kind that this version does not know. */
export function decodePeerMessage(datagram: Uint8Array): PeerMessage | undefined {
  if (datagram.length > longest) return undefined;
  const text = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).toString('utf8');
  if (!text.startsWith(magic)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.slice(magic.length));
  } catch {
    return undefined;
  }
  return isPeerMessage(parsed) ? withPrintableTexts(parsed) : undefined;
}

/** A sentence of the peer, such as why it refuses; longer ones are cut. */
const longestSentence = 200;

/**
 * What is shown of a peer's texts, and kept in the history, is bounded and cannot steer a terminal.
 */
function withPrintableTexts(message: PeerMessage): PeerMessage {
  if (message.kind === 'hello') {
    const { name, version } = message;
    return { ...message, name: printableName(name), version: printableName(version) };
  }
  if (message.kind === 'holds') {
    return { ...message, doubt: printableName(message.doubt, longestSentence) };
  }
  if (message.kind !== 'offerAnswer') return message;
  return { ...message, because: printableName(message.because, longestSentence) };
}

function isPeerMessage(value: unknown): value is PeerMessage {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const { kind } = value;
  if (typeof kind !== 'string' || !Object.hasOwn(fields, kind)) return false;
  const wanted = fields[kind as Kind];
  // Checked boundary: each field is looked at before the type is believed.
  const record = value as Readonly<Record<string, unknown>>;
  if (kind === 'hello' && !isHello(record)) return false;
  if (kind === 'targets' && !Array.isArray(record['words'])) return false;
  if (kind === 'comparable' && !comparableStates.includes(record['state'])) return false;
  return Object.entries(wanted).every(([name, type]) => {
    const field = record[name];
    if (typeof field !== type) return false;
    return type !== 'number' || isUint32(field);
  });
}

/** What a hello may say beside its fields. */
function isHello(record: Readonly<Record<string, unknown>>): boolean {
  if (!isOptional(record['maintenance'], 'boolean')) return false;
  if (record['roles'] !== undefined && !isWireRoles(record['roles'])) return false;
  if (record['can'] !== undefined && !isListOfWords(record['can'])) return false;
  const numbers = [record['leftovers'], record['wasMasterMs'], record['direct']];
  return numbers.every((value) => value === undefined || isUint32(value));
}

function isListOfWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}

function isOptional(value: unknown, type: 'boolean'): boolean {
  return value === undefined || typeof value === type;
}

function isUint32(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}
