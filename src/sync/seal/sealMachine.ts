/**
 * Sealed channels without sockets: what leaves, what is believed, and which greeting follows.
 *
 *   A: hello(session A, challenge A) ->            nothing is believed yet
 *   B:    <- answer(session B, challenge B, to challenge A)        A believes B
 *   A: answer(session A, challenge A, to challenge B) ->           B believes A
 *
 * A receiver believes a session only after its owner has answered this receiver's own challenge,
 * and the challenge changes with each session that begins: a recording of an old session fails. The
 * first datagram that opens under a new session ends the old one of that address; nothing before
 * does. At most two sessions of an address wait for that, and 20 hellos of an address are worked on
 * in a second; answers to the own challenge are always looked at, so that a flood of hellos keeps
 * nobody out. A session of this node itself is never believed: whoever sends its own greetings back
 * would be taken for the peer otherwise.
 */
import { milliseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { OwnSession, type OwnSessionOptions } from './ownSession.js';
import { PeerSession } from './peerSession.js';
import type { SealRefusal } from './sealRefusals.js';
import type { SealKeys } from './sealKeys.js';
import {
  nonceBytes,
  readSealHeader,
  sealHeaderBytes,
  sealKinds,
  sealMagic,
  writeSealHeader,
  type SealHeader,
} from '../wire/sealWire.js';

export interface SealOptions extends OwnSessionOptions {
  /** As they are now: a rotation changes them. */
  readonly keys: () => SealKeys;
  /** `permissive`: plain datagrams are taken from a peer that never completed a session. */
  readonly isPermissive: () => boolean;
  /** A datagram of the peer opened under this key; the first one completes the roll-out. */
  readonly heard: (keyId: number, now: Microseconds) => void;
  readonly hasCompleted: () => boolean;
  /** The session of another channel of this node. */
  readonly isOwn?: (nonce: Uint8Array) => boolean;
}

export type Opened =
  | { readonly kind: 'data'; readonly datagram: Uint8Array }
  /** A greeting; `reply` is to be sent. */
  | { readonly kind: 'greeting'; readonly reply: Uint8Array | undefined }
  | { readonly kind: 'refused'; readonly reason: SealRefusal };

/** One address. */
interface Peer {
  current: PeerSession | undefined;
  /** Believed; no datagram has opened under them yet. The oldest first. */
  readonly waiting: PeerSession[];
  hellosSince: Microseconds;
  hellos: number;
}

const mostWaiting = 2;
const hellosPerSecond = 20;
const mostPeers = 4;
const greetingPause = milliseconds(250);
const lonelyPause = seconds(1);
/** So often in a row at the shorter pause. */
const firstGreetings = 20;
const nothing = new Uint8Array(0);
/** Flag of an answer: its sender believes the session of the receiver. */
const believes = 1;

export class SealMachine {
  readonly #options: SealOptions;
  readonly #own: OwnSession;
  readonly #peers = new Map<string, Peer>();
  #challenge: Uint8Array;
  #greetedNonce: Uint8Array | undefined;
  #greetedAt: Microseconds | undefined;
  #greetings = 0;
  /** Somebody speaks under a session that is not believed. */
  #isAsked = false;

  constructor(options: SealOptions) {
    this.#options = options;
    this.#own = new OwnSession(options);
    this.#challenge = options.freshNonce();
  }

  /** Of what leaves. */
  get nonce(): Uint8Array {
    return this.#own.nonce;
  }

  /** What leaves is sealed; before the peer has shown the key, `permissive` sends it plain. */
  get seals(): boolean {
    if (this.#refusesPlain) return true;
    return [...this.#peers.values()].some(
      ({ current, waiting }) => current !== undefined || waiting.length > 0,
    );
  }

  /** What a peer sent before it began to seal may still be under way. */
  get #refusesPlain(): boolean {
    return !this.#options.isPermissive() || this.#options.hasCompleted();
  }

  /** Writes into `into`, which has room for 32 bytes more; gives the length. */
  seal(datagram: Uint8Array, into: Uint8Array): number {
    return this.#own.seal(this.#options.keys(), datagram, into);
  }

  /** The same for datagrams of `size` bytes end to end, the last of which may be shorter. */
  sealRun(datagrams: Uint8Array, size: number, into: Uint8Array): number {
    const keys = this.#options.keys();
    const count = Math.floor(datagrams.length / size);
    const rest = datagrams.subarray(count * size);
    const whole = datagrams.subarray(0, count * size);
    const used = count === 0 ? 0 : this.#own.sealRun(keys, whole, count, into);
    if (rest.length === 0) return used;
    return used + this.#own.seal(keys, rest, into.subarray(used));
  }

  /** `source`: the address that it claims to come from. */
  open(bytes: Uint8Array, source: string, now: Microseconds): Opened {
    if (bytes[0] !== sealMagic) {
      return this.#refusesPlain ? refused('plain') : { kind: 'data', datagram: bytes };
    }
    const header = readSealHeader(bytes);
    if (header === undefined) return refused('malformed');
    if (!this.#options.keys().has(header.keyId)) return refused('unknownKey');
    switch (header.kind) {
      case sealKinds.encrypted:
      case sealKinds.authenticated:
        return this.#openData(header, bytes, source, now);
      case sealKinds.hello:
        return this.#hello(header, bytes, source, now);
      case sealKinds.answer:
        return this.#answer(header, bytes, source, now);
    }
    return refused('malformed');
  }

  /** A hello, where it is time for one. */
  greeting(now: Microseconds): Uint8Array | undefined {
    const isRenewed = this.#greetedNonce !== this.#own.nonce;
    const isAlone = ![...this.#peers.values()].some(({ current }) => current !== undefined);
    if (!isRenewed && !isAlone && !this.#isAsked) return undefined;
    const isOften = !isAlone || this.#greetings < firstGreetings;
    const pause = isOften ? greetingPause : lonelyPause;
    if (!isRenewed && this.#greetedAt !== undefined && subtractTime(now, this.#greetedAt) < pause) {
      return undefined;
    }
    this.#greetedAt = now;
    this.#greetedNonce = this.#own.nonce;
    this.#isAsked = false;
    this.#greetings++;
    return this.#record(sealKinds.hello, 0, nothing);
  }

  #openData(header: SealHeader, bytes: Uint8Array, source: string, now: Microseconds): Opened {
    const peer = this.#peers.get(source);
    const session =
      peer?.current?.number === header.session
        ? peer.current
        : peer?.waiting.find(({ number }) => number === header.session);
    if (peer === undefined || session === undefined) {
      this.#isAsked = true;
      return refused('unknownSession');
    }
    const opened = session.open(this.#options.keys(), header, bytes);
    if (typeof opened === 'string') return refused(opened);
    if (session !== peer.current) this.#begin(peer, session);
    this.#options.heard(header.keyId, now);
    return { kind: 'data', datagram: opened };
  }

  /** It has shown to live: the one before has ended, and so have all answers of before. */
  #begin(peer: Peer, session: PeerSession): void {
    peer.current = session;
    peer.waiting.length = 0;
    this.#greetings = 0;
    this.#challenge = this.#options.freshNonce();
  }

  #hello(header: SealHeader, bytes: Uint8Array, source: string, now: Microseconds): Opened {
    if (!hasParts(bytes, 2)) return refused('malformed');
    // Of a flood nothing more is looked at.
    if (!this.#mayWork(source, now)) return refused('tooManyHellos');
    if (!this.#isMacRight(header, bytes)) return refused('wrong');
    const [nonce, challenge] = [partOf(bytes, 0), partOf(bytes, 1)];
    if (this.#isOwn(nonce)) return refused('reflected');
    const isKnown = this.#believes(source, nonce);
    if (!isKnown) this.#isAsked = true;
    const flags = isKnown ? believes : 0;
    return { kind: 'greeting', reply: this.#record(sealKinds.answer, flags, challenge) };
  }

  #answer(header: SealHeader, bytes: Uint8Array, source: string, now: Microseconds): Opened {
    if (!hasParts(bytes, 3)) return refused('malformed');
    if (!isEqual(partOf(bytes, 2), this.#challenge)) return refused('staleAnswer');
    if (!this.#isMacRight(header, bytes)) return refused('wrong');
    const [nonce, challenge] = [partOf(bytes, 0), partOf(bytes, 1)];
    if (this.#isOwn(nonce)) return refused('reflected');
    if (!this.#believes(source, nonce)) {
      const peer = this.#peerOf(source, now);
      if (peer === undefined) return refused('tooManyHellos');
      peer.waiting.push(new PeerSession(nonce.slice(), this.#options.port, header.counter));
      if (peer.waiting.length > mostWaiting) peer.waiting.shift();
    }
    const isBelieved = (header.flags & believes) !== 0;
    const reply = isBelieved ? undefined : this.#record(sealKinds.answer, believes, challenge);
    return { kind: 'greeting', reply };
  }

  #isMacRight({ keyId }: SealHeader, bytes: Uint8Array): boolean {
    return this.#options.keys().isMacRight(keyId, this.#options.port, bytes);
  }

  #isOwn(nonce: Uint8Array): boolean {
    return isEqual(nonce, this.#own.nonce) || this.#options.isOwn?.(nonce) === true;
  }

  #believes(source: string, nonce: Uint8Array): boolean {
    const peer = this.#peers.get(source);
    return [peer?.current, ...(peer?.waiting ?? [])].some(
      (session) => session !== undefined && isEqual(session.nonce, nonce),
    );
  }

  #mayWork(source: string, now: Microseconds): boolean {
    const peer = this.#peerOf(source, now);
    if (peer === undefined) return false;
    if (subtractTime(now, peer.hellosSince) >= seconds(1)) {
      peer.hellosSince = now;
      peer.hellos = 0;
    }
    return ++peer.hellos <= hellosPerSecond;
  }

  /** undefined where too many others have a place. One without a session leaves its own. */
  #peerOf(source: string, now: Microseconds): Peer | undefined {
    const known = this.#peers.get(source);
    if (known !== undefined) return known;
    if (this.#peers.size >= mostPeers) {
      const idle = [...this.#peers].find(
        ([, { current, waiting }]) => current === undefined && waiting.length === 0,
      );
      if (idle === undefined) return undefined;
      this.#peers.delete(idle[0]);
    }
    const made = { current: undefined, waiting: [], hellosSince: now, hellos: 0 };
    this.#peers.set(source, made);
    return made;
  }

  /** Header, own session and challenge, `answered`, and the MAC over all of it. */
  #record(kind: number, flags: number, answered: Uint8Array): Uint8Array {
    const keys = this.#options.keys();
    const length = sealHeaderBytes + 2 * nonceBytes + answered.length + nonceBytes;
    const bytes = new Uint8Array(length);
    const { number: session, counter } = this.#own;
    const header = { kind, keyId: keys.activeId, flags, session, counter };
    writeSealHeader(bytes, 0, header, length);
    bytes.set(this.#own.nonce, sealHeaderBytes);
    bytes.set(this.#challenge, sealHeaderBytes + nonceBytes);
    bytes.set(answered, sealHeaderBytes + 2 * nonceBytes);
    const mac = keys.mac(keys.activeId, this.#options.port, bytes.subarray(0, length - nonceBytes));
    if (mac !== undefined) bytes.set(mac, length - nonceBytes);
    return bytes;
  }
}

/** `count` values of 16 bytes between header and MAC. */
function hasParts(bytes: Uint8Array, count: number): boolean {
  return bytes.length === sealHeaderBytes + (count + 1) * nonceBytes;
}

function partOf(bytes: Uint8Array, index: number): Uint8Array {
  const at = sealHeaderBytes + index * nonceBytes;
  return bytes.subarray(at, at + nonceBytes);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function refused(reason: SealRefusal): Opened {
  return { kind: 'refused', reason };
}
