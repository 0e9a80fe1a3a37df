/**
 * Which of its leftovers a node may remove: the MASTER is asked part by part of the hash space. One
 * digest over all flows of a part settles it where the MASTER has been told the same ones; it
 * answers with those that its kernel does not hold and that it did not end. Where the digests
 * differ, the keys of the part are asked for. Pure: messages go in and out, time is a value. A
 * message that is lost is asked again, and a peer that falls silent ends the comparison without a
 * result.
 */
import { milliseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { KeyDigests } from '../wire/keyDigests.js';
import { KeySet } from '../tables/keySet.js';
import { keyVerdict, mostKeys, type KeyMessage, type KeyWords } from '../wire/keyMessage.js';
import { partCount } from '../wire/keyDigests.js';

/** Questions that wait for their answer at a time. */
const mostOpen = 4;
/**
 * Questions between two ticks of 100 ms: 60,000 keys a second at most, so that the peer channel
 * stays free.
 */
const mostPerTick = 50;
const repeatAfter = milliseconds(500);
const silenceTimeout = seconds(10);

export interface ComparedTable {
  readonly token: number;
  /** Over all flows of this kernel that the peer is told. */
  readonly digests: KeyDigests;
  /** Keys of the leftovers in a part, as pairs of words. */
  readonly leftovers: (part: number) => KeyWords;
  /** Digests are left out, and only what the MASTER has ended may go (DisableExternalCache). */
  readonly onlyEnded: boolean;
}

interface Question {
  readonly message: Extract<KeyMessage, { kind: 'part' | 'keys' }>;
  sentAt: Microseconds | undefined;
}

export class Comparison {
  /** What may be removed. */
  readonly removable = new KeySet();
  /** Leftovers that the MASTER neither holds nor ended, as far as is known. */
  neither = 0;
  readonly #table: ComparedTable;
  readonly #send: (message: KeyMessage) => void;
  #nextPart = 0;
  #nextNumber = 0;
  readonly #waiting: Question[] = [];
  #open: Question[] = [];
  #sentInTick = 0;
  #heardAt: Microseconds;

  constructor(table: ComparedTable, send: (message: KeyMessage) => void, now: Microseconds) {
    this.#table = table;
    this.#send = send;
    this.#heardAt = now;
    this.#ask(now);
  }

  get isDone(): boolean {
    return this.#open.length === 0 && this.#waiting.length === 0 && this.#nextPart === partCount;
  }

  /** The peer has not answered for too long: nothing is known of the rest. */
  hasFailed(now: Microseconds): boolean {
    return !this.isDone && subtractTime(now, this.#heardAt) >= silenceTimeout;
  }

  tick(now: Microseconds): void {
    this.#sentInTick = 0;
    for (const question of this.#open) {
      const { sentAt } = question;
      const isLate = sentAt === undefined || subtractTime(now, sentAt) >= repeatAfter;
      if (isLate) this.#sendQuestion(question, now);
    }
    this.#ask(now);
  }

  received(message: KeyMessage, now: Microseconds): void {
    if (message.token !== this.#table.token) return;
    const question = this.#open.find((one) => answers(message, one));
    if (question === undefined) return;
    if (message.kind === 'partAnswer') this.#partAnswered(message);
    else if (message.kind === 'keysAnswer' && question.message.kind === 'keys') {
      // Of another length it is not the answer to this.
      if (message.verdicts.length * 2 !== question.message.keys.length) return;
      this.#keysAnswered(question.message.keys, message.verdicts);
    }
    this.#open = this.#open.filter((one) => one !== question);
    this.#heardAt = now;
    this.#ask(now);
  }

  #partAnswered({ part, isSame, keys }: Extract<KeyMessage, { kind: 'partAnswer' }>): void {
    const leftovers = this.#table.leftovers(part);
    if (!isSame) {
      this.#askKeys(leftovers);
      return;
    }
    const missing = new KeySet();
    eachKey(keys, (hash, rest) => {
      missing.add(hash, rest);
    });
    eachKey(leftovers, (hash, rest) => {
      if (missing.has(hash, rest)) this.neither++;
      else this.removable.add(hash, rest);
    });
  }

  #keysAnswered(keys: KeyWords, verdicts: Uint8Array): void {
    eachKey(keys, (hash, rest, i) => {
      const verdict = verdicts[i];
      const isHeld = verdict === keyVerdict.held;
      if (verdict === keyVerdict.ended || (isHeld && !this.#table.onlyEnded)) {
        this.removable.add(hash, rest);
      } else if (!isHeld) this.neither++;
    });
  }

  #askKeys(keys: KeyWords): void {
    const { token } = this.#table;
    for (let at = 0; at < keys.length; at += 2 * mostKeys) {
      const some = keys.slice(at, at + 2 * mostKeys);
      const message = { kind: 'keys', token, number: this.#nextNumber++, keys: some } as const;
      this.#waiting.push({ message, sentAt: undefined });
    }
  }

  #ask(now: Microseconds): void {
    while (this.#open.length < mostOpen && this.#sentInTick < mostPerTick) {
      const next = this.#waiting.shift() ?? this.#nextOfPart();
      if (next === undefined) return;
      this.#open.push(next);
      this.#sendQuestion(next, now);
    }
  }

  /** The next part in which there is anything to decide. */
  #nextOfPart(): Question | undefined {
    const { token, digests, leftovers, onlyEnded } = this.#table;
    while (this.#nextPart < partCount) {
      const part = this.#nextPart++;
      const keys = leftovers(part);
      if (keys.length === 0) continue;
      if (onlyEnded) {
        this.#askKeys(keys);
        return this.#waiting.shift();
      }
      const message = { kind: 'part', token, part, ...digests.of(part) } as const;
      return { message, sentAt: undefined };
    }
    return undefined;
  }

  #sendQuestion(question: Question, now: Microseconds): void {
    question.sentAt = now;
    this.#sentInTick++;
    this.#send(question.message);
  }
}

function answers(message: KeyMessage, { message: question }: Question): boolean {
  if (message.kind === 'partAnswer') {
    return question.kind === 'part' && question.part === message.part;
  }
  return (
    message.kind === 'keysAnswer' && question.kind === 'keys' && question.number === message.number
  );
}

function eachKey(keys: KeyWords, use: (hash: number, rest: number, i: number) => void): void {
  for (let i = 0; 2 * i + 1 < keys.length; i++) use(keys[2 * i]!, keys[2 * i + 1]!, i);
}
