/** Flows committed in advance are taken back, also those that the peer ends while that goes on. */
import { microseconds, seconds } from '../../../src/base/time.js';
import { messageType } from '../../../src/conntrack/constants.js';
import type { InjectionSocket } from '../../../src/conntrack/kernel/injectionSocket.js';
import {
  presenceBit,
  newScratch,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { undoCommit } from '../../../src/sync/role/undoCommit.js';
import { messageKind } from '../../../src/sync/wire/header.js';
import { ManualTurns } from '../../support/base/manualTurns.js';

const flows = 300;
const names = new NameTable();

function flow(number: number): FlowCursor {
  const record = newScratch(names);
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, number);
  record.set(recordWord.timeout, 100);
  record.learn(presenceBit.ports | presenceBit.timeout);
  return record;
}

interface Undoing {
  readonly external: ExternalCache;
  readonly turns: ManualTurns;
  readonly done: Promise<number>;
  /** Flows that were deleted in the kernel. */
  deleted(): number;
}

/** With a clock that ends each slice after its first look. */
function begin(internal: FingerprintedTable, isOver = (): boolean => false): Undoing {
  const external = new ExternalCache(
    new FingerprintedTable({ names, limit: 1_000, hashSeed: 1 }),
    10,
    false,
  );
  for (let i = 1; i <= flows; i++) external.applyFlow(messageKind.flowNew, flow(i), i, 0);
  let deleted = 0;
  const send: InjectionSocket['socket']['send'] = (bytes, _to, _from, length) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const end = length ?? bytes.length;
    for (let at = 0; at < end; at += (view.getUint32(at, true) + 3) & ~3) {
      if (view.getUint16(at + 4, true) === messageType.flowDelete) deleted++;
    }
    return 0;
  };
  const socket = {
    ...{ send, receive: () => 0, close: () => undefined },
    ...{ view: new DataView(new ArrayBuffer(0)), lengths: new Uint32Array(0) },
  };
  let now = 0;
  const turns = new ManualTurns();
  const done = undoCommit({
    ...{ external, internal, turns, isOver, socket: { socket, portId: 7 } },
    clock: { now: () => microseconds((now += seconds(1))), wallClock: () => microseconds(0) },
    onPort: () => () => undefined,
  });
  return { external, turns, done, deleted: () => deleted };
}

const nothing = (): FingerprintedTable =>
  new FingerprintedTable({ names, limit: 1_000, hashSeed: 1 });

test('what the peer ends before the walk has come to it is removed too', async () => {
  const undoing = begin(nothing());
  for (let i = 1; i <= flows; i++) {
    undoing.external.applyFlow(messageKind.flowDelete, flow(i), flows + i, 0);
  }
  expect(undoing.external.table.count).toBe(0);
  await undoing.turns.runAll();
  await undoing.done;
  // Each at least once; the first slice had removed some already.
  expect(undoing.deleted()).toBeGreaterThanOrEqual(flows);
});

test("a flow of this node's own stays, also when the peer ends its copy", async () => {
  const internal = nothing();
  internal.insert(flow(1), 0);
  internal.insert(flow(flows), 0);
  const undoing = begin(internal);
  undoing.external.applyFlow(messageKind.flowDelete, flow(flows), flows + 1, 0);
  await undoing.turns.runAll();
  expect(await undoing.done).toBe(flows - 2);
  expect(undoing.deleted()).toBe(flows - 2);
});

test('whoever listens to the peer from the next role on is not disturbed', async () => {
  let isOver = false;
  const undoing = begin(nothing(), () => isOver);
  isOver = true;
  const applied: number[] = [];
  undoing.external.listen({
    flowApplied: (slot) => applied.push(slot),
    flowEnding: () => undefined,
  });
  await undoing.turns.runAll();
  await undoing.done;
  undoing.external.applyFlow(messageKind.flowUpdate, flow(1), flows + 1, 0);
  expect(applied).toHaveLength(1);
});
