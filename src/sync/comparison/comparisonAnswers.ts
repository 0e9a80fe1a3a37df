/**
 * A MASTER answers which flows its kernel holds and which it has ended. The tables are read once
 * per comparison, in slices of 2 ms, and kept until nothing is asked for a while.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';
import { ComparedTables } from './comparedTables.js';
import type { ComparisonEngine } from './comparisonEngine.js';
import type { Mastership } from './mastership.js';
import { errorText } from '../../base/errors.js';
import { keyHash, keyRest } from '../tables/flowKeyHash.js';
import { walkInSlices } from '../tables/slicedWalk.js';
import type { KeyMessage } from '../wire/keyMessage.js';
import type { Comparable, PeerMessage } from '../wire/peerMessage.js';

/** Nothing more is asked: the comparison is over. */
const idle = seconds(15);

export interface AnswerPort {
  send(message: PeerMessage): void;
  sendKeys(message: KeyMessage): void;
}

export class ComparisonAnswers {
  readonly #engine: ComparisonEngine;
  readonly #mastership: Mastership;
  readonly #port: AnswerPort;
  #tables: ComparedTables | undefined;
  /** The token of the tables that are being read, or are there. */
  #token: number | undefined;
  #askedAt = 0 as Microseconds;

  constructor(engine: ComparisonEngine, mastership: Mastership, port: AnswerPort) {
    this.#engine = engine;
    this.#mastership = mastership;
    this.#port = port;
  }

  /** The peer wants to compare. */
  asked(token: number, now: Microseconds): void {
    const state = this.#state();
    const [first, second] = this.#mastership.ended.seeds;
    this.#askedAt = now;
    if (state === 'ready' && this.#token !== token) {
      this.#token = token;
      this.#tables = undefined;
      void this.#read(token);
    }
    const isRead = this.#tables?.token === token;
    const answer = state === 'ready' && !isRead ? 'later' : state;
    this.#port.send({ kind: 'comparable', token, state: answer, first, second });
  }

  question(message: Extract<KeyMessage, { kind: 'part' | 'keys' }>, now: Microseconds): void {
    if (this.#tables?.token !== message.token || this.#state() !== 'ready') return;
    this.#askedAt = now;
    this.#port.sendKeys(this.#tables.answer(message));
  }

  tick(now: Microseconds): void {
    if (this.#token === undefined) return;
    const isOver = subtractTime(now, this.#askedAt) >= idle;
    if (isOver || !this.#mastership.isComplete) this.#forget();
  }

  #state(): Comparable {
    const { internal } = this.#engine;
    const mastership = this.#mastership;
    if (mastership.since === undefined) return 'notMaster';
    if (internal.fullTable === undefined) return 'cannot';
    return mastership.isComplete ? 'ready' : 'later';
  }

  #forget(): void {
    this.#token = undefined;
    this.#tables = undefined;
  }

  async #read(token: number): Promise<void> {
    const { internal, external, externalMode, ports } = this.#engine;
    const mastership = this.#mastership;
    const { ended } = mastership;
    const { seeds } = ended;
    const tables = new ComparedTables(token, ended);
    const isOver = (): boolean => this.#token !== token || mastership.ended !== ended;
    const hold = (flow: FlowCursor): void => {
      tables.addHeld(keyHash(flow, seeds), keyRest(flow, seeds));
    };
    const told = (flow: FlowCursor): void => {
      tables.addTold(keyHash(flow, seeds), keyRest(flow, seeds));
    };
    try {
      // What the peer told stands in the kernel, and in no cache (DisableExternalCache).
      if (externalMode.injected.isInjecting) await this.#dump(hold, isOver);
      await this.#walk(internal.table, hold, isOver);
      await this.#walk(external.table, told, isOver);
    } catch (error) {
      ports.logger.log('error', 'the flows of this node could not be read for a comparison', {
        reason: errorText(error),
      });
      if (this.#token === token) this.#forget();
      return;
    }
    if (isOver()) {
      if (this.#token === token) this.#forget();
      return;
    }
    this.#tables = tables;
  }

  async #dump(hold: (flow: FlowCursor) => void, isOver: () => boolean): Promise<void> {
    const { names, filter } = this.#engine;
    const dump = new KernelDump({ kind: 'flows' }, names, {
      flow: (flow) => {
        if (isOver()) dump.cancel();
        else if (filter.accepts(flow)) hold(flow);
      },
    });
    await dump.done;
  }

  async #walk(
    table: FlowTable,
    use: (flow: FlowCursor) => void,
    isOver: () => boolean,
  ): Promise<void> {
    const { clock, turns } = this.#engine.ports;
    const cursor = table.newCursor();
    await walkInSlices(table, { clock, turns, isOver }, (slot) => {
      use(table.seek(slot, cursor));
    });
  }
}
