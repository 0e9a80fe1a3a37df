/**
 * The receiving half: walks a datagram, asks the machine, parses, applies, and only then accepts
 * the number. conntrackd accepts before it parses, so that a payload broken on the way is
 * acknowledged and lost; here it is asked for again. A peer that sends what can never be parsed
 * must not be asked for ever, so there is an allowance: beyond it such a message is accepted, and
 * counted as given up.
 */
import { subtractSeconds, toSeconds, wholeSeconds, type Microseconds } from '../../base/time.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { ExternalStore } from '../remote/externalCache.js';
import { verdict, type Machine } from './modes/machine.js';
import { readExpectation } from '../wire/expectationCodec.js';
import { FlowReader } from '../wire/flowReader.js';
import {
  DatagramWalk,
  headerBytes,
  malformed,
  messageKind,
  walk,
  type MalformedReason,
} from '../wire/header.js';

/** Broken payloads that are asked for again: this many at once, and one more each second. */
const rereadAllowance = 16;

export class Receiver {
  readonly malformed: Record<MalformedReason, number> = {
    truncated: 0,
    size: 0,
    version: 0,
    header: 0,
    payload: 0,
  };
  /** Broken payloads that were accepted because too many came. */
  givenUp = 0;
  /** Messages of flows and expectations that were applied. */
  applied = 0;
  /** When a message was accepted last. */
  lastAcceptedAt: Microseconds | undefined;
  readonly #machine: Machine;
  readonly #store: ExternalStore;
  readonly #scratch: FlowCursor;
  readonly #flows = new FlowReader();
  readonly #walk = new DatagramWalk();
  readonly #onUnknown = (): void => {
    this.#flows.unknownAttributes++;
  };
  readonly #takesExpectations: boolean;
  #allowance = rereadAllowance;
  #allowanceAt = 0;

  /** `scratch` is used during `receive` only. ExpectationSync off: none of the peer's is taken. */
  constructor(
    machine: Machine,
    store: ExternalStore,
    scratch: FlowCursor,
    takesExpectations = true,
  ) {
    this.#takesExpectations = takesExpectations;
    this.#machine = machine;
    this.#store = store;
    this.#scratch = scratch;
  }

  /** Attributes that no table names; skipped. */
  get unknownAttributes(): number {
    return this.#flows.unknownAttributes;
  }

  get malformedTotal(): number {
    return Object.values(this.malformed).reduce((sum, count) => sum + count, 0);
  }

  /** True where at least one message was good. An empty datagram is ignored. */
  receive(datagram: Uint8Array, now: Microseconds): boolean {
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    const step = this.#walk;
    step.begin(view);
    let isGood = false;
    for (;;) {
      const outcome = step.next();
      if (outcome === walk.message) isGood = this.#message(view, now) || isGood;
      else if (step.problem !== undefined) this.malformed[step.problem]++;
      if (outcome === walk.stop) return isGood;
    }
  }

  #message(view: DataView, now: Microseconds): boolean {
    const { header } = this.#walk;
    const judged = this.#machine.judge(header, now);
    if (judged === verdict.malformed) {
      this.malformed[malformed.header]++;
      return false;
    }
    if (judged === verdict.drop) return false;
    if (header.isData && !this.#apply(view, now)) {
      this.malformed[malformed.payload]++;
      if (this.#mayBeReadAgain(now)) return false;
      this.givenUp++;
    }
    this.#machine.accept(header, now);
    this.lastAcceptedAt = now;
    return true;
  }

  #apply(view: DataView, now: Microseconds): boolean {
    const { header } = this.#walk;
    const nowSeconds = wholeSeconds(now);
    const from = header.at + headerBytes;
    const end = header.at + header.length;
    if (header.kind <= messageKind.flowDelete) {
      if (!this.#flows.read(view, from, end, this.#scratch)) return false;
      this.#store.applyFlow(header.kind, this.#scratch, header.sequence, nowSeconds);
    } else {
      const content = readExpectation(view, from, end, this.#onUnknown);
      if (content === undefined) return false;
      if (!this.#takesExpectations) return true;
      this.#store.applyExpectation(header.kind, content, header.sequence, nowSeconds);
    }
    this.applied++;
    return true;
  }

  #mayBeReadAgain(now: Microseconds): boolean {
    const elapsed = subtractSeconds(toSeconds(now), this.#allowanceAt);
    this.#allowanceAt = toSeconds(now);
    this.#allowance = Math.min(rereadAllowance, this.#allowance + elapsed);
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}
