/** What the kernel does not take ends neither the injector nor whoever calls it. */
import { FlowInjector } from '../../../src/conntrack/kernel/flowInjector.js';
import type { InjectionSocket } from '../../../src/conntrack/kernel/injectionSocket.js';
import { presenceBit, newScratch, recordWord } from '../../../src/conntrack/record/flowRecord.js';
import { FlowTable } from '../../../src/conntrack/record/flowTable.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ENOBUFS, ENOMEM } from '../../../src/base/errno.js';

const names = new NameTable();

/** A kernel that answers each send, and each reading of answers, with the next errno; 0 where none is left. */
function door(sends: number[], receives: number[] = []): InjectionSocket {
  return {
    socket: {
      send: () => sends.shift() ?? 0,
      receive: () => -(receives.shift() ?? 0),
      view: new DataView(new ArrayBuffer(0)),
      lengths: new Uint32Array(0),
      close: () => undefined,
    },
    portId: 7,
  };
}

function injectorTo(to: InjectionSocket): {
  injector: FlowInjector;
  failed: number[];
  table: FlowTable;
} {
  const table = new FlowTable({ names, limit: 1_000, hashSeed: 1 });
  const flow = newScratch(names);
  flow.setKind(false, 17);
  flow.learn(presenceBit.ports);
  for (let i = 1; i <= 300; i++) {
    flow.set(recordWord.originalPorts, i);
    table.insert(flow, 0);
  }
  const failed: number[] = [];
  const injector = new FlowInjector(
    { windowTracking: false, onExisting: 'replace' },
    { table, cursor: table.newCursor() },
    (_slot, errno) => failed.push(errno),
    to,
  );
  return { injector, failed, table };
}

test.each(['create', 'update', 'remove', 'openWindows'] as const)(
  'a batch of %s that a kernel short of memory does not take has failed, and the next ones are sent',
  (how) => {
    const { injector, failed, table } = injectorTo(door([ENOBUFS]));
    const cursor = table.newCursor();
    for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
      injector[how](table.seek(slot, cursor), slot, 60);
    }
    injector.flush();
    expect(injector.counts).toMatchObject({ requested: 300, failed: 128 });
    expect(injector.counts.failures).toEqual(new Map([[ENOBUFS, 128]]));
    expect(failed).toHaveLength(128);
  },
);

test('memory that lacks for a batch is no full table', () => {
  const { injector, table } = injectorTo(door([ENOMEM]));
  injector.create(table.seek(1, table.newCursor()), 1, 60);
  injector.flush();
  expect(injector.isFull).toBe(false);
  expect(injector.counts.failed).toBe(1);
});

test('a batch whose answers cannot be read counts as failed', () => {
  const { injector, table } = injectorTo(door([], [ENOMEM]));
  injector.create(table.seek(1, table.newCursor()), 1, 60);
  injector.flush();
  expect(injector.counts.failed).toBe(1);
});
