/**
 * Expectations of the peer whose master the kernel does not have yet: a peer without an internal
 * cache tells them in the order of the kernel's events, in which a master may come second. They are
 * tried again each time flows were injected.
 */
import { ENOENT } from '../../base/errno.js';
import { expectationKey, type Expectation } from '../../conntrack/codec/expectation.js';

/** A master stands in one of the next datagrams; the kernel is asked no more often than that. */
const mostTries = 8;
const most = 64;

/** `put` returns the kernel's errno; `done` is told of the one that an expectation ends with. */
export class OrphanExpectations {
  readonly #orphans = new Map<string, { readonly content: Expectation; triesLeft: number }>();
  readonly #put: (content: Expectation) => number;
  readonly #done: (errno: number) => void;

  constructor(put: (content: Expectation) => number, done: (errno: number) => void) {
    this.#put = put;
    this.#done = done;
  }

  get count(): number {
    return this.#orphans.size;
  }

  /** Creates it in the kernel, now or behind its master. */
  put(content: Expectation): void {
    const key = expectationKey(content);
    this.#orphans.delete(key);
    const errno = this.#put(content);
    if (errno === ENOENT && this.#orphans.size < most) {
      this.#orphans.set(key, { content, triesLeft: mostTries });
    } else this.#done(errno);
  }

  /** It has ended. True where the kernel never had it. */
  end(content: Expectation): boolean {
    return this.#orphans.delete(expectationKey(content));
  }

  /** The kernel has more flows than before. */
  tryAgain(): void {
    for (const [key, orphan] of this.#orphans) {
      const errno = this.#put(orphan.content);
      if (errno === ENOENT && --orphan.triesLeft > 0) continue;
      this.#orphans.delete(key);
      this.#done(errno);
    }
  }
}
