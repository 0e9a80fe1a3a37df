/**
 * What two nodes tell each other of the targets that both ask (`vrrp_track_target`), as the peer
 * channel carries it. Ages are told, not times: the clocks of two nodes differ.
 *
 *   {"kind":"targets","words":[{"name":"WAN","state":"bad","ageMs":900,"question":77,
 *     "answer":{"question":12,"says":"answered"},
 *     "addresses":[{"address":"icmp 198.51.100.1","state":"bad","ageMs":900,"us":[310,320,900],"answered":57,"lost":3}]}]}
 *
 * Bounded, because a receiver drops longer datagrams: words are spread over several messages, and
 * figures are left out where one word alone is too long.
 */
import { printableName } from '../../base/printable.js';
import { milliseconds, microseconds, type Microseconds } from '../../base/time.js';

export type TargetState = 'unknown' | 'good' | 'bad' | 'unable' | 'blind';
export type TargetAnswer = 'answered' | 'lost' | 'unable' | 'untracked';

/** Round trips and losses of the last minute. */
export interface TargetFigures {
  readonly address: string;
  readonly state: TargetState;
  readonly age: Microseconds;
  readonly roundTrip?: {
    readonly last: Microseconds;
    readonly median: Microseconds;
    readonly worst: Microseconds;
  };
  readonly answered: number;
  readonly lost: number;
}

export interface TargetWord {
  readonly name: string;
  readonly state: TargetState;
  readonly age: Microseconds;
  /** 0: nothing is asked. */
  readonly question: number;
  readonly answer?: { readonly question: number; readonly says: TargetAnswer };
  readonly addresses: readonly TargetFigures[];
}

interface WireFigures {
  readonly address: string;
  readonly state: TargetState;
  readonly ageMs: number;
  readonly us?: readonly [number, number, number];
  readonly answered: number;
  readonly lost: number;
}

export interface WireWord {
  readonly name: string;
  readonly state: TargetState;
  readonly ageMs: number;
  readonly question: number;
  readonly answer?: { readonly question: number; readonly says: TargetAnswer };
  readonly addresses: readonly WireFigures[];
}

const states: readonly unknown[] = ['unknown', 'good', 'bad', 'unable', 'blind'];
const answers: readonly unknown[] = ['answered', 'lost', 'unable', 'untracked'];
/** Bytes of the words of one message; a datagram has 1,024. */
const mostBytes = 900;
/** Characters of a name and of an address; longer ones are cut. */
const longestName = 48;
/** A hostile message costs no more than this. */
const mostWords = 16;
const mostAddresses = 8;
const largestUint32 = 0xffff_ffff;

/** The words of each message, in their order. */
export function spreadWords(words: readonly TargetWord[]): readonly (readonly WireWord[])[] {
  const messages: WireWord[][] = [];
  let room = 0;
  for (const word of words) {
    const wire = fitting(toWire(word));
    const bytes = lengthOf(wire);
    const last = messages.at(-1);
    if (last === undefined || bytes > room || last.length === mostWords) {
      messages.push([wire]);
      room = mostBytes - bytes;
    } else {
      last.push(wire);
      room -= bytes;
    }
  }
  return messages;
}

/** Arbitrary values of the peer: what is no word is left out. */
export function fromWireWords(words: readonly unknown[]): readonly TargetWord[] {
  return words.slice(0, mostWords).filter(isWireWord).map(fromWire);
}

function fitting(wire: WireWord): WireWord {
  return lengthOf(wire) <= mostBytes ? wire : { ...wire, addresses: [] };
}

function lengthOf(wire: WireWord): number {
  return Buffer.byteLength(JSON.stringify(wire)) + 1;
}

function toWire({ name, state, age, question, answer, addresses }: TargetWord): WireWord {
  return {
    name: printableName(name, longestName),
    state,
    ageMs: wireMilliseconds(age),
    question,
    ...(answer === undefined ? {} : { answer }),
    addresses: addresses.slice(0, mostAddresses).map((one) => ({
      address: printableName(one.address, longestName),
      state: one.state,
      ageMs: wireMilliseconds(one.age),
      ...(one.roundTrip === undefined
        ? {}
        : { us: [one.roundTrip.last, one.roundTrip.median, one.roundTrip.worst] as const }),
      answered: one.answered,
      lost: one.lost,
    })),
  };
}

function fromWire({ name, state, ageMs, question, answer, addresses }: WireWord): TargetWord {
  return {
    name: printableName(name, longestName),
    state,
    age: milliseconds(ageMs),
    question,
    ...(answer === undefined ? {} : { answer: { question: answer.question, says: answer.says } }),
    addresses: addresses.map((one) => ({
      address: printableName(one.address, longestName),
      state: one.state,
      age: milliseconds(one.ageMs),
      ...(one.us === undefined
        ? {}
        : {
            roundTrip: {
              last: microseconds(one.us[0]),
              median: microseconds(one.us[1]),
              worst: microseconds(one.us[2]),
            },
          }),
      answered: one.answered,
      lost: one.lost,
    })),
  };
}

function isWireWord(value: unknown): value is WireWord {
  if (!hasFields(value, ['name', 'state', 'ageMs', 'question', 'addresses'])) return false;
  const { name, state, ageMs, question, answer, addresses } = value;
  if (typeof name !== 'string' || !states.includes(state)) return false;
  if (!isUint32(ageMs) || !isUint32(question)) return false;
  if (answer !== undefined && !isAnswer(answer)) return false;
  if (!Array.isArray(addresses) || addresses.length > mostAddresses) return false;
  return addresses.every(isFigures);
}

function isAnswer(value: unknown): boolean {
  if (!hasFields(value, ['question', 'says'])) return false;
  return isUint32(value['question']) && answers.includes(value['says']);
}

function isFigures(value: unknown): boolean {
  if (!hasFields(value, ['address', 'state', 'ageMs', 'answered', 'lost'])) return false;
  const { address, state, ageMs, answered, lost, us } = value;
  if (typeof address !== 'string' || !states.includes(state)) return false;
  if (us !== undefined && !(Array.isArray(us) && us.length === 3 && us.every(isUint32))) {
    return false;
  }
  return [ageMs, answered, lost].every(isUint32);
}

function hasFields(
  value: unknown,
  names: readonly string[],
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => Object.hasOwn(value, name));
}

function wireMilliseconds(age: Microseconds): number {
  return Math.min(largestUint32, Math.floor(age / 1_000));
}

function isUint32(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= largestUint32;
}
