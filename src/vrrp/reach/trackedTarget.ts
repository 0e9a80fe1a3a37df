/**
 * One `vrrp_track_target`: its addresses are asked in rounds, its loss is compared with the peer's
 * word, and the peer's questions are answered.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import {
  microseconds,
  milliseconds,
  subtractTime,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type RandomSource,
  type Timers,
} from '../../base/time.js';
import type { ProberFactory } from '../../net/ports.js';
import type { TrackTargetSettings } from '../settings.js';
import { AddressProber } from './addressProber.js';
import { compare, uncounted, type Comparison, type PeerStanding } from './comparison.js';
import { answerTo, hearQuestion, openQuestion, type HeardQuestion } from './questions.js';
import { addressVerdict, targetVerdict, type AddressVerdict } from './targetState.js';
import type { AddressFigures, ShownState, TargetWord } from './reachWords.js';

/** A round that is later than this stood still with the process: answers wait to be read first. */
const lateRound = milliseconds(5);
const timeToRead = milliseconds(20);

export interface TrackedTargetPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly probers: ProberFactory;
  readonly hasAddress: (address: IpAddress) => boolean;
  /** An instance that tracks this target is MASTER. */
  readonly isMaster: (target: string) => boolean;
  /** An instance that tracks this target hears another MASTER. */
  readonly hearsMaster: (target: string) => boolean;
  /** A probe was decided: it may be time to judge, and to tell the peer. */
  readonly decided: () => void;
}

/**
 * Rounds begin at multiples of the interval, so that targets of one interval share their wake-ups:
 * a wake-up costs more than a probe. At least half an interval after the round before.
 */
function nextRound(now: Microseconds, interval: Microseconds): Microseconds {
  return microseconds(Math.floor((now + interval * 1.5) / interval) * interval);
}

export class TrackedTarget {
  readonly settings: TrackTargetSettings;
  readonly #ports: TrackedTargetPorts;
  readonly #addresses: readonly AddressProber[];
  readonly #timers = new Set<ArmedTimer>();
  #question = 0;
  #heard: HeardQuestion | undefined;
  #peerWord: TargetWord | undefined;
  #comparison: Comparison = uncounted;
  #verdict: AddressVerdict = 'unknown';
  #since: Microseconds;

  constructor(ports: TrackedTargetPorts, settings: TrackTargetSettings) {
    this.#ports = ports;
    this.settings = settings;
    this.#since = ports.clock.now();
    const { clock, probers, isMaster, hasAddress } = ports;
    const own = {
      ...{ clock, probers, hasAddress },
      isMaster: () => isMaster(settings.name),
      decided: () => this.#decided(),
    };
    this.#addresses = settings.addresses.map(
      (address) => new AddressProber(own, settings, address),
    );
  }

  get comparison(): Comparison {
    return this.#comparison;
  }

  /** What the peer last said of it. */
  get peerWord(): TargetWord | undefined {
    return this.#peerWord;
  }

  start(): void {
    this.#round(this.#ports.clock.now());
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const address of this.#addresses) address.close();
  }

  hear(word: TargetWord): void {
    this.#peerWord = word;
    this.#heard = hearQuestion(this.#heard, word.question, this.#ports.clock.now());
  }

  /** The peer's answer to the question that is open now. */
  get peerAnswer(): Extract<PeerStanding, { kind: 'present' }>['answer'] {
    const answer = this.#peerWord?.answer;
    if (this.#question === 0 || answer?.question !== this.#question) return undefined;
    return answer.says;
  }

  /** Another judgement than before, or undefined. */
  judge(peer: PeerStanding, hold: Microseconds): Comparison | undefined {
    const { clock, hearsMaster } = this.#ports;
    const before = this.#comparison;
    // Roles are looked at only where they matter: this is called for each probe.
    const own = {
      verdict: this.#verdict,
      hearsMaster: before.counts && hearsMaster(this.settings.name),
    };
    this.#comparison = compare(before, own, peer, clock.now(), hold);
    const { counts, standing } = this.#comparison;
    return counts === before.counts && standing === before.standing ? undefined : this.#comparison;
  }

  /** Another text than before where the peer should be told at once. */
  get news(): string {
    const says = this.#answer();
    const answer = says === undefined ? '' : `${this.#heard?.question} ${says}`;
    return `${this.#shown} ${this.#question} ${answer}`;
  }

  word(): TargetWord {
    const now = this.#ports.clock.now();
    const says = this.#answer();
    return {
      name: this.settings.name,
      state: this.#shown,
      age: subtractTime(now, this.#since),
      question: this.#question,
      ...(says === undefined || this.#heard === undefined
        ? {}
        : { answer: { question: this.#heard.question, says } }),
      addresses: this.figures(now),
    };
  }

  figures(now: Microseconds): readonly (AddressFigures & { readonly refusal?: string })[] {
    return this.#addresses.map((address) => {
      const { state, refusal } = address;
      const why = state.unable ?? refusal;
      return {
        address: address.text,
        state: address.isFlooded ? 'blind' : addressVerdict(state),
        age: subtractTime(now, state.since),
        ...address.view(now),
        ...(why === undefined ? {} : { refusal: why }),
      };
    });
  }

  #answer(): ReturnType<typeof answerTo> {
    if (this.#heard === undefined) return undefined;
    return answerTo(this.#heard, this.#states, this.settings.required, this.#comparison.counts);
  }

  get #states(): readonly AddressProber['state'][] {
    return this.#addresses.map(({ state }) => state);
  }

  get #shown(): ShownState {
    const isBlind = this.#addresses.some(({ isFlooded }) => isFlooded);
    return isBlind ? 'blind' : this.#verdict;
  }

  #round(due: Microseconds): void {
    const { clock } = this.#ports;
    const { interval, timeout } = this.settings;
    const now = clock.now();
    const late = subtractTime(now, due);
    const isLate = late > lateRound;
    if (isLate) this.#later(timeToRead, () => this.#expire());
    else this.#expire();
    for (const address of this.#addresses) address.ask(isLate ? now : due);
    if (timeout < interval) this.#later(timeout, () => this.#expire());
    const next = subtractTime(nextRound(now, interval), now);
    this.#later(next, (planned) => this.#round(planned));
  }

  #later(delay: Microseconds, work: (due: Microseconds) => void): void {
    const timer = this.#ports.timers.after(delay, (due) => {
      this.#timers.delete(timer);
      work(due);
    });
    this.#timers.add(timer);
  }

  #expire(): void {
    const now = this.#ports.clock.now();
    for (const address of this.#addresses) address.expire(now);
  }

  #decided(): void {
    const { clock, random } = this.#ports;
    const { required } = this.settings;
    const states = this.#states;
    const draw = (): number => 1 + random.below(0xffff_ffff);
    this.#question = openQuestion(this.#question, states, required, draw);
    const verdict = targetVerdict(states, required);
    if (verdict !== this.#verdict) {
      this.#verdict = verdict;
      this.#since = clock.now();
      this.#log(verdict);
    }
    this.#ports.decided();
  }

  #log(verdict: AddressVerdict): void {
    const { name } = this.settings;
    const addresses = this.#addresses.map(({ text }) => text).join(', ');
    const why = this.#addresses.map(({ refusal }) => refusal).find((one) => one !== undefined);
    const fields = { target: name, addresses, ...(why === undefined ? {} : { reason: why }) };
    if (verdict === 'good') this.#ports.logger.log('info', 'target is reached', fields);
    else if (verdict === 'bad') this.#ports.logger.log('warning', 'target is lost', fields);
    else if (verdict === 'unable') {
      this.#ports.logger.log('warning', 'target cannot be asked', fields);
    }
  }
}
