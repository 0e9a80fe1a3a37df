/**
 * Lets every promise that can go on do so, at once and without the event loop: what a thread of the
 * simulation does at one instant is over before another thread runs. Works outside of microtasks
 * only, so a life runs in a callback of setImmediate.
 */

/** Node.js offers it to programs that embed it; undocumented since ever, there in 20 to 24. */
const runMicrotasks: unknown = Reflect.get(process, '_tickCallback');

export function settlePromises(): void {
  if (typeof runMicrotasks !== 'function') {
    throw new Error('this Node.js has no process._tickCallback: the simulator needs another way');
  }
  Reflect.apply(runMicrotasks, process, []);
}

/** Runs `work` where `settlePromises` works. */
export function outsideOfMicrotasks<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
