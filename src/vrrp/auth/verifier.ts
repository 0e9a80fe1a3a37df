/**
 * Trailers that arrive: right key, right HMAC, within the time window, and each number once. The
 * numbers heard are kept by instance and sender: those of a unicast instance by configured peer,
 * those of a group for the four senders that were heard last (keepalived 2.4).
 */
import { formatIp, ipEquals } from '../../base/ipAddress.js';
import { toSeconds, type Microseconds } from '../../base/time.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { HmacSettings, InstanceSettings } from '../settings.js';
import { differenceOf, isNewer, numberAt } from './number.js';
import type { AdvertProof, ProofFailure } from './proof.js';
import {
  decodeTrailer,
  isMacRight,
  trailerLength,
  trailerType,
  type Signed,
  type Trailer,
} from './trailer.js';

/** Senders of one group whose numbers are kept. */
const sendersKept = 4;

/** `accepted` and `late`: the newest number that was, or that came outside the window. */
interface Heard {
  accepted: bigint | undefined;
  late: bigint | undefined;
}

export class AdvertVerifier {
  /** By instance, then by address; the sender that was heard last stands last. */
  readonly #heard = new Map<string, Map<string, Heard>>();

  /** `saved`: by `address instance`, the last numbers accepted in an earlier life. */
  constructor(saved: Readonly<Record<string, bigint>> = {}) {
    for (const [name, accepted] of Object.entries(saved)) {
      const blank = name.indexOf(' ');
      const senders = this.#sendersOf(name.slice(blank + 1));
      senders.set(name.slice(0, blank), { accepted, late: undefined });
    }
  }

  /** As the constructor takes them. */
  get accepted(): Readonly<Record<string, bigint>> {
    const all: Record<string, bigint> = {};
    for (const [instance, senders] of this.#heard) {
      for (const [address, { accepted }] of senders) {
        if (accepted !== undefined) all[`${address} ${instance}`] = accepted;
      }
    }
    return all;
  }

  /**
   * `datagram` has the length of an advertisement, or 28 bytes more. `wallClock`: since 1970.
   * Remembers the number of what is right.
   */
  examine(
    instance: InstanceSettings,
    hmac: HmacSettings,
    datagram: VrrpDatagram,
    wallClock: Microseconds,
  ): AdvertProof {
    const { payload, source } = datagram;
    const trailerAt = payload.length - trailerLength;
    const bytes = payload.subarray(trailerAt);
    const trailer = decodeTrailer(bytes);
    if (trailer.type !== trailerType || trailer.reserved !== 0) {
      return refused('authMalformed', 'has a trailer that is not one of auth_hmac');
    }
    const skew = differenceOf(trailer.number, numberAt(wallClock));
    const isLate = hmac.antiReplay === 'time' && Math.abs(skew) > hmac.timeWindow;
    const wrong = checkMac(hmac, { advert: payload.subarray(0, trailerAt), source }, bytes);
    if (wrong !== undefined) {
      return isLate ? refused('authStale', skewText(skew, hmac.timeWindow)) : wrong;
    }
    const isKnown =
      instance.unicastPeers.length === 0 ||
      instance.unicastPeers.some(({ address }) => ipEquals(address, source));
    // Whom acceptance refuses anyhow takes no place here.
    if (!isKnown) return { kind: 'signed' };
    const heard = this.#heardFrom(instance, formatIp(source));
    return isLate ? late(heard, trailer, skew, hmac) : inTime(heard, trailer);
  }

  forget(instance: string): void {
    this.#heard.delete(instance);
  }

  #heardFrom(instance: InstanceSettings, address: string): Heard {
    const senders = this.#sendersOf(instance.name);
    const heard = senders.get(address) ?? { accepted: undefined, late: undefined };
    senders.delete(address);
    senders.set(address, heard);
    const limit = Math.max(sendersKept, instance.unicastPeers.length);
    for (const oldest of senders.keys()) {
      if (senders.size <= limit) break;
      senders.delete(oldest);
    }
    return heard;
  }

  #sendersOf(instance: string): Map<string, Heard> {
    const known = this.#heard.get(instance);
    if (known !== undefined) return known;
    const made = new Map<string, Heard>();
    this.#heard.set(instance, made);
    return made;
  }
}

function checkMac(
  { keys }: HmacSettings,
  signed: Signed,
  trailer: Uint8Array,
): AdvertProof | undefined {
  const { keyId } = decodeTrailer(trailer);
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) {
    const text = `is signed with key ${keyId}, which auth_hmac does not have here`;
    return refused('authUnknownKey', text);
  }
  if (isMacRight(signed, trailer, key.secret)) return undefined;
  const text = `is not signed with our key ${keyId} (fingerprint ${key.secret.fingerprint})`;
  return refused('authWrong', text);
}

/** The signature is right: a late number is that of a clock, unless it is an old one. */
function late(
  heard: Heard,
  { number }: Trailer,
  skew: Microseconds,
  { timeWindow }: HmacSettings,
): AdvertProof {
  const isNew =
    (heard.accepted === undefined || isNewer(number, heard.accepted)) &&
    (heard.late === undefined || isNewer(number, heard.late));
  const text = skewText(skew, timeWindow);
  if (!isNew) return refused('authStale', text);
  heard.late = number;
  return refused('clockSkew', text);
}

function inTime(heard: Heard, { number }: Trailer): AdvertProof {
  if (heard.accepted !== undefined && !isNewer(number, heard.accepted)) {
    return refused('authReplay', 'has a number that is not above the last one: it is a replay');
  }
  heard.accepted = number;
  return { kind: 'signed' };
}

function refused(failure: ProofFailure, text: string): AdvertProof {
  return { kind: 'refused', failure, text };
}

function skewText(difference: Microseconds, window: Microseconds): string {
  const seconds = toSeconds(difference);
  const way = seconds < 0 ? 'behind' : 'ahead of';
  return `has the time of a clock that is ${Math.abs(seconds).toFixed(1)} s ${way} ours, the time_window is ${toSeconds(window)} s`;
}
