/**
 * What a MASTER answers a comparison from: the keys of the flows that its kernel holds, what it has
 * ended, and digests of what the peer has told, which are the peer's own flows. Filled in slices,
 * then asked; 16 bytes per flow of each table for as long as the comparison lasts.
 */
import type { EndedKeys } from './endedKeys.js';
import { isSameDigest, KeyDigests, partCount, partOf } from '../wire/keyDigests.js';
import { KeySet } from '../tables/keySet.js';
import { keyVerdict, mostKeys, type KeyMessage, type KeyWords } from '../wire/keyMessage.js';

type Question = Extract<KeyMessage, { kind: 'part' | 'keys' }>;

export class ComparedTables {
  readonly token: number;
  readonly #ended: EndedKeys;
  readonly #held = new KeySet();
  readonly #digests = new KeyDigests();
  /**
   * Of what the peer told: neither held here nor ended. A list that is longer than a message is
   * cut.
   */
  readonly #missing: number[][] = Array.from({ length: partCount }, () => []);

  constructor(token: number, ended: EndedKeys) {
    this.token = token;
    this.#ended = ended;
  }

  /** A flow of this kernel. All of them come before what the peer told. */
  addHeld(hash: number, rest: number): void {
    this.#held.add(hash, rest);
  }

  addTold(hash: number, rest: number): void {
    this.#digests.add(hash, rest);
    if (this.#verdictOf(hash, rest) !== keyVerdict.neither) return;
    const missing = this.#missing[partOf(hash)]!;
    if (missing.length <= 2 * mostKeys) missing.push(hash, rest);
  }

  answer(question: Question): KeyMessage {
    const { token } = this;
    if (question.kind === 'keys') {
      const { number, keys } = question;
      return { kind: 'keysAnswer', token, number, verdicts: this.#verdictsOf(keys) };
    }
    const { part } = question;
    const missing = this.#missing[part] ?? [];
    const isSame = isSameDigest(question, this.#digests.of(part)) && missing.length <= 2 * mostKeys;
    const keys = Uint32Array.from(isSame ? missing : []);
    return { kind: 'partAnswer', token, part, isSame, keys };
  }

  #verdictsOf(keys: KeyWords): Uint8Array {
    const verdicts = new Uint8Array(keys.length / 2);
    for (let i = 0; i < verdicts.length; i++) {
      verdicts[i] = this.#verdictOf(keys[2 * i]!, keys[2 * i + 1]!);
    }
    return verdicts;
  }

  #verdictOf(hash: number, rest: number): number {
    if (this.#held.has(hash, rest)) return keyVerdict.held;
    return this.#ended.has(hash, rest) ? keyVerdict.ended : keyVerdict.neither;
  }
}
