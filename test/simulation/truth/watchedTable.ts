/** The mirror of the product on a world: what its table says when it has settled. */
import { silentLogger } from '../../../src/base/logger.js';
import { FlowFilter } from '../../../src/conntrack/flowFilter.js';
import { FlowMirror } from '../../../src/conntrack/kernel/flowMirror.js';
import { KernelDump } from '../../../src/conntrack/kernel/kernelDump.js';
import { KernelWatch } from '../../../src/conntrack/kernel/kernelWatch.js';
import type { FlowTable } from '../../../src/conntrack/record/flowTable.js';
import { comparable, newTable } from '../../support/conntrack/flowKernel.js';
import type { AnswerFields } from './script.js';
import type { TruthWorld } from './truthWorld.js';

const turnsUntilSettled = 20;

export class WatchedTable {
  readonly #world: TruthWorld;
  readonly #table: FlowTable = newTable();
  readonly #mirror: FlowMirror;
  readonly #watch: KernelWatch;
  #resyncs = 0;

  constructor(
    world: TruthWorld,
    options: { readonly bufferBytes?: number | undefined; readonly reliable?: boolean | undefined },
    isOwnPort: (portId: number) => boolean,
  ) {
    this.#world = world;
    const table = this.#table;
    const bufferBytes = options.bufferBytes ?? 2 << 20;
    this.#mirror = new FlowMirror({
      table,
      filter: new FlowFilter({}),
      kernelFilters: false,
      isOwnPort,
      clock: world.clock,
      turns: world.turns,
      startDump: (handler) =>
        world.enter(() => new KernelDump({ kind: 'flows' }, table.names, handler)),
      listener: {
        created: () => undefined,
        updated: () => undefined,
        destroyed: (slot) => {
          table.remove(slot);
        },
        refused: () => undefined,
      },
    });
    this.#watch = world.enter(
      () =>
        new KernelWatch(
          {
            names: table.names,
            bufferBytes,
            // No growth: the script says how much is lost.
            maxBufferBytes: bufferBytes,
            reliable: options.reliable === true,
            expectations: false,
          },
          {
            mirror: this.#mirror,
            timers: world.timers,
            turns: world.turns,
            logger: silentLogger,
            onExpectation: () => undefined,
            onResync: () => this.#resyncs++,
          },
        ),
    );
  }

  async start(): Promise<void> {
    await this.#world.until(this.#watch.start());
  }

  /** Everything was read and no comparison runs, for some turns in a row. */
  async settle(): Promise<AnswerFields> {
    for (let quiet = 0; quiet < turnsUntilSettled; quiet++) {
      await this.#world.until(new Promise<void>((resolve) => this.#world.turns.next(resolve)));
      this.#watch.tick();
      if (!this.#watch.events.drain() || this.#mirror.isResyncing || this.#watch.hasLost) quiet = 0;
    }
    const flows = comparable(this.#table).map((leaves) =>
      ['SRC', 'DST', 'PORT', 'STATE', 'STATUS']
        .flatMap((part) => Object.entries(leaves).filter(([path]) => path.endsWith(part)))
        .filter(([path]) => !path.includes('REPLY'))
        .map(([, value]) => String(value))
        .join(' '),
    );
    return { flows, hadOverrun: this.#watch.events.overruns > 0, wasCompared: this.#resyncs > 0 };
  }

  close(): void {
    this.#watch.close();
  }
}
