/**
 * The sync worker of a simulated process: the real Commands on a thread of its own, as
 * src/sync/worker/worker.ts hands out the real ports. The boundary is a queue in each direction:
 * messages keep their order and take their time.
 */
import type { Logger } from '../../../src/base/logger.js';
import type { WorkerHandle, WorkerListener } from '../../../src/daemon/worker/workerSupervisor.js';
import type { SyncCommand, SyncReport } from '../../../src/sync/messages.js';
import { Commands } from '../../../src/sync/worker/commands.js';
import type { Network } from '../network/network.js';
import { SimulatedThread, type ThreadHost } from '../world/thread.js';
import type { World } from '../world/world.js';
import { SimulatedChannels } from './syncChannels.js';

export interface WorkerParts {
  readonly world: World;
  readonly network: Network;
  readonly host: ThreadHost;
  readonly main: SimulatedThread;
  readonly nextPort: () => number;
  /** Ended by an error that nobody caught. */
  readonly died: (because: string) => void;
}

/** A message takes so long at most, in microseconds; and a thread to start. */
const longestPassage = 200;
const startMicroseconds = 40_000;
const endMicroseconds = 1_000;

export class SimulatedWorker implements WorkerHandle {
  readonly thread: SimulatedThread;
  readonly channels: SimulatedChannels;
  readonly #parts: WorkerParts;
  readonly #listener: WorkerListener;
  readonly #passage: (to: SimulatedThread, run: () => void) => void;
  #commands: Commands | undefined;
  #isOver = false;

  constructor(parts: WorkerParts, listener: WorkerListener) {
    const { world, host, network, nextPort } = parts;
    this.#parts = parts;
    this.#listener = listener;
    this.thread = new SimulatedThread(world, host, `${host.name} worker`, (because) => {
      parts.died(because);
      this.#ended(because);
    });
    this.channels = new SimulatedChannels(network, this.thread, nextPort);
    const random = world.random(`boundary ${host.name}`);
    const last = new Map<SimulatedThread, number>([[this.thread, world.now() + startMicroseconds]]);
    this.#passage = (to, run) => {
      const at = Math.max(last.get(to) ?? 0, world.now() + random.below(longestPassage));
      last.set(to, at);
      to.later(at - world.now(), run);
    };
    this.thread.later(startMicroseconds, () => {
      this.#commands = new Commands(this.#ports());
    });
  }

  /** What runs in the thread, for invariants; undefined before it has started. */
  get commands(): Commands | undefined {
    return this.thread.isAlive ? this.#commands : undefined;
  }

  post(command: SyncCommand): void {
    this.#passage(this.thread, () => {
      const commands = this.#commands;
      if (commands === undefined) return;
      commands.handle(command).then(
        () => {
          if (command.kind !== 'stop') return;
          this.thread.end();
          this.#ended('it ended by itself');
        },
        (error: unknown) => {
          this.thread.died(error);
        },
      );
    });
  }

  terminate(): Promise<void> {
    this.thread.end();
    this.#ended('terminated (exit 1)');
    return new Promise((resolve) => {
      this.#parts.main.later(endMicroseconds, () => resolve());
    });
  }

  /** As though the thread had died of an error of its own. */
  kill(): void {
    this.thread.end();
    this.#ended('killed by the simulation (exit 1)');
  }

  #ended(because: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.main.later(endMicroseconds, () => this.#listener.ended(because));
  }

  #ports(): ConstructorParameters<typeof Commands>[0] {
    const { clock, timers, turns } = this.thread;
    const { world, host, main } = this.#parts;
    const report = (message: SyncReport): void => {
      // What is recorded is nothing to the node, and must not change how it lives.
      if (message.kind === 'recorded') {
        world.record?.(message.line);
        return;
      }
      this.#passage(main, () => this.#listener.report(message));
    };
    const logger: Logger = {
      // Nobody reads debug lines, and each crosses the boundary.
      log: (level, message, fields = {}) => {
        if (level !== 'debug') report({ kind: 'log', level, message, fields });
      },
    };
    return {
      ...{ clock, timers, turns, logger, report },
      random: world.random(`worker ${host.name} ${world.now()}`),
      openChannel: this.channels.open,
      openLog: () => {
        throw new Error('no node of the simulation has a Stats block');
      },
      openServer: () => ({ opened: Promise.resolve(), close: () => undefined }),
    };
  }
}
