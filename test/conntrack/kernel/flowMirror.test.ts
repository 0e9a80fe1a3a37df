/** Events and a dump in the orders in which they may come; the listener holds ends back, as the internal cache does. */
import { statusBit, tcpState } from '../../../src/conntrack/constants.js';
import { FlowFilter } from '../../../src/conntrack/flowFilter.js';
import { BypassMirror } from '../../../src/conntrack/kernel/bypassMirror.js';
import { FlowMirror, type MirrorOptions } from '../../../src/conntrack/kernel/flowMirror.js';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  newScratch,
  addressRole,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { FlowTable } from '../../../src/conntrack/record/flowTable.js';
import type { DumpHandler } from '../../../src/conntrack/kernel/kernelDump.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ManualTime } from '../../support/base/manualTime.js';

const names = new NameTable();

/** The flow as an event tells it; a dump knows its timeout too. */
function flowOf(id: number, more: { timeout?: number; status?: number } = {}): FlowCursor {
  const flow = newScratch(names);
  clearScratch(flow);
  flow.setKind(false, 6);
  flow.setAddressWord(addressRole.originalSource, 0, 0x0a000001);
  flow.setAddressWord(addressRole.originalDestination, 0, 0x0a000002);
  flow.set(recordWord.originalPorts, (1000 << 16) | 80);
  deriveReply(flow);
  flow.set(recordWord.info, tcpState.established);
  flow.set(recordWord.status, statusBit.assured | (more.status ?? 0));
  flow.set(recordWord.id, id);
  flow.learn(
    presenceBit.ports | presenceBit.reply | presenceBit.state | presenceBit.status | presenceBit.id,
  );
  if (more.timeout !== undefined) {
    flow.set(recordWord.timeout, more.timeout);
    flow.learn(presenceBit.timeout);
  }
  return flow;
}

/** A mirror during a pass whose dump the test tells. */
class Pass {
  readonly told: string[] = [];
  readonly table = new FlowTable({ names, hashSeed: 7 });
  readonly mirror: FlowMirror;
  readonly #over: Promise<unknown>;
  #dump: DumpHandler | undefined;
  #end: (entries: number) => void = () => undefined;

  constructor(internalBypass: boolean, before?: FlowCursor) {
    const options: MirrorOptions = {
      table: this.table,
      filter: new FlowFilter({}),
      kernelFilters: false,
      isOwnPort: () => false,
      clock: new ManualTime(),
      turns: { next: setImmediate },
      startDump: (handler) => {
        this.#dump = handler;
        return {
          done: new Promise((resolve) => (this.#end = resolve)),
          ...{ pause: () => undefined, resume: () => undefined, cancel: () => undefined },
        };
      },
      listener: {
        created: (_slot, origin) => this.told.push(`created ${origin}`),
        updated: (_slot, _changed, origin) => this.told.push(`updated ${origin}`),
        destroyed: (_slot, origin) => this.told.push(`destroyed ${origin}`),
        refused: () => this.told.push('refused'),
      },
    };
    this.mirror = internalBypass ? new BypassMirror(options) : new FlowMirror(options);
    if (before !== undefined) this.mirror.event('new', before, 0);
    this.told.length = 0;
    this.#over = this.mirror.resync();
  }

  event(kind: 'new' | 'update' | 'destroy', flow: FlowCursor): void {
    this.mirror.event(kind, flow, 0);
  }

  dumped(flow: FlowCursor): void {
    this.#dump?.flow?.(flow);
  }

  async end(): Promise<readonly string[]> {
    this.#end(1);
    await this.#over;
    return this.told;
  }
}

test('what a dump tells of a flow that has ended meanwhile is no news, though the slot is kept', async () => {
  const pass = new Pass(true);
  pass.event('destroy', flowOf(1));
  pass.dumped(flowOf(1, { timeout: 600 }));
  expect(await pass.end()).toEqual(['destroyed event']);
});

test('nor where the table held the flow and an event of the pass had touched it', async () => {
  const pass = new Pass(false, flowOf(1));
  pass.event('update', flowOf(1));
  pass.event('destroy', flowOf(1));
  pass.dumped(flowOf(1, { timeout: 600 }));
  expect(await pass.end()).toEqual(['updated event', 'destroyed event']);
});

test('a flow made anew under the same id is completed from the dump', async () => {
  const pass = new Pass(false, flowOf(1));
  pass.event('destroy', flowOf(1));
  pass.event('new', flowOf(1));
  pass.dumped(flowOf(1, { timeout: 600 }));
  expect(await pass.end()).toEqual(['destroyed event', 'created event', 'updated dump']);
  expect(pass.table.read(1, recordWord.timeout)).toBe(600);
});

test('a flow that the kernel is about to take out of its table is not taken up', async () => {
  const pass = new Pass(true);
  pass.dumped(flowOf(1, { status: statusBit.dying }));
  expect(await pass.end()).toEqual([]);
  expect(pass.table.count).toBe(0);
});

test('nor does it end where it was known: its event says so', async () => {
  const pass = new Pass(false, flowOf(1));
  pass.dumped(flowOf(1, { status: statusBit.dying }));
  expect(await pass.end()).toEqual([]);
  expect(pass.table.count).toBe(1);
});

test('what the dump does not hold has ended', async () => {
  expect(await new Pass(false, flowOf(1)).end()).toEqual(['destroyed dump']);
});
