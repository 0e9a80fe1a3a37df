/**
 * Expectations that came before their master: where the first packet of a flow is the one that a
 * helper reads (INVITE of SIP, RRQ of TFTP), the kernel reports the expectation before the flow.
 * Each is kept until its master is known or it ends.
 */
import { expectationKey, type Expectation } from '../../conntrack/codec/expectation.js';

/** What the kernel said of it, and when. */
export interface WaitingExpectation {
  readonly content: Expectation;
  /** Hash of the master's key in the table of this node's flows. */
  readonly masterHash: number;
  readonly heardSeconds: number;
  /** The peer is to hear of it. */
  readonly isNews: boolean;
}

/** A master follows within microseconds; what stays longer has a master that the filter ignores. */
const most = 1_024;

export class WaitingExpectations {
  readonly #byKey = new Map<string, WaitingExpectation>();
  /** Keys of those that wait for one master; several masters may share a hash. */
  readonly #byMaster = new Map<number, Set<string>>();

  get count(): number {
    return this.#byKey.size;
  }

  /** In place of what was known of the same expectation; the one that waits longest makes room. */
  keep(waiting: WaitingExpectation): void {
    const key = expectationKey(waiting.content);
    this.#remove(key);
    if (this.#byKey.size >= most) {
      for (const oldest of this.#byKey.keys()) {
        this.#remove(oldest);
        break;
      }
    }
    this.#byKey.set(key, waiting);
    const keys = this.#byMaster.get(waiting.masterHash);
    if (keys === undefined) this.#byMaster.set(waiting.masterHash, new Set([key]));
    else keys.add(key);
  }

  /** Those that wait for a master with this hash, in the order in which they came; they leave. */
  take(masterHash: number): readonly WaitingExpectation[] {
    const taken: WaitingExpectation[] = [];
    for (const key of [...(this.#byMaster.get(masterHash) ?? [])]) {
      const waiting = this.#byKey.get(key);
      if (waiting !== undefined) taken.push(waiting);
      this.#remove(key);
    }
    return taken;
  }

  /** It has ended. True where it had waited. */
  end(expectation: Expectation): boolean {
    return this.#remove(expectationKey(expectation));
  }

  clear(): void {
    this.#byKey.clear();
    this.#byMaster.clear();
  }

  #remove(key: string): boolean {
    const waiting = this.#byKey.get(key);
    if (waiting === undefined) return false;
    this.#byKey.delete(key);
    const keys = this.#byMaster.get(waiting.masterHash);
    keys?.delete(key);
    if (keys?.size === 0) this.#byMaster.delete(waiting.masterHash);
    return true;
  }
}
