/** What a commit and the following after it tell, and survive, where the kernel refuses. */
import { KernelError } from '../../../src/base/errors.js';
import { microseconds, type Clock } from '../../../src/base/time.js';
import { messageType } from '../../../src/conntrack/constants.js';
import {
  presenceBit,
  newScratch,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import type { InjectionSocket } from '../../../src/conntrack/kernel/injectionSocket.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ENOBUFS } from '../../../src/base/errno.js';
import {
  CommitWork,
  tableIsFull,
  type CommitWorkOptions,
} from '../../../src/sync/role/commitWork.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { cachedInternal } from '../../support/sync/caches.js';
import { commitText } from '../../../src/sync/client/requests.js';
import { messageKind } from '../../../src/sync/wire/header.js';
import { ManualTurns } from '../../support/base/manualTurns.js';
import { settingsOf } from '../../support/sync/node.js';

const names = new NameTable();
const clock: Clock = { now: () => microseconds(0), wallClock: () => microseconds(0) };
const answerCellBytes = 4_096;

/**
 * A kernel that answers each create from number `full` on with ENOMEM, and takes no batch while
 * `isShort`.
 */
class Kernel {
  isShort = false;
  full = Infinity;
  created = 0;
  readonly door: InjectionSocket;
  readonly #answers: { readonly sequence: number; readonly errno: number }[] = [];

  constructor() {
    const view = new DataView(new ArrayBuffer(answerCellBytes));
    const one = this as Kernel;
    const send: InjectionSocket['socket']['send'] = (bytes, _to, _from, length) => {
      if (one.isShort) return ENOBUFS;
      one.#take(new DataView(bytes.buffer, bytes.byteOffset), length ?? bytes.length);
      return 0;
    };
    const receive = (): number => {
      const answer = one.#answers.shift();
      if (answer === undefined) return 0;
      view.setUint16(4, messageType.error, true);
      view.setUint32(8, answer.sequence, true);
      view.setInt32(16, -answer.errno, true);
      return 1;
    };
    const lengths = Uint32Array.of(36);
    this.door = { socket: { send, receive, view, lengths, close: () => undefined }, portId: 7 };
  }

  #take(view: DataView, end: number): void {
    for (let at = 0; at < end; at += (view.getUint32(at, true) + 3) & ~3) {
      if (view.getUint16(at + 4, true) === messageType.flowDelete) continue;
      if (this.created < this.full) this.created++;
      else this.#answers.push({ sequence: view.getUint32(at + 8, true), errno: 12 });
    }
  }
}

const record = newScratch(names);

function flow(number: number): FlowCursor {
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, number);
  record.set(recordWord.timeout, 100);
  record.learn(presenceBit.ports | presenceBit.timeout);
  return record;
}

function working(flows: number, changes: Partial<CommitWorkOptions> = {}) {
  const kernel = new Kernel();
  const table = new FingerprintedTable({ names, limit: 10_000, hashSeed: 1 });
  const external = new ExternalCache(table, 10, false);
  for (let i = 1; i <= flows; i++) external.applyFlow(messageKind.flowNew, flow(i), i, 0);
  const turns = new ManualTurns();
  const lines: string[] = [];
  const work = new CommitWork({
    settings: () => settingsOf([]),
    external,
    internal: cachedInternal(new FingerprintedTable({ names, limit: 10, hashSeed: 1 }), 10),
    feed: () => ({ addOwn: () => undefined }) as never,
    clock,
    turns,
    logger: { log: (_level, message) => lines.push(message) },
    openSocket: () => kernel.door,
    ...changes,
  });
  return { kernel, external, turns, lines, work };
}

describe('following the peer into the kernel', () => {
  test('outlives a kernel that is short of memory, and tells it once', async () => {
    const { kernel, external, turns, lines, work } = working(0);
    work.follow('takeover');
    kernel.isShort = true;
    // More than two batches before the next turn.
    for (let i = 1; i <= 300; i++) external.applyFlow(messageKind.flowNew, flow(i), i, 0);
    external.applyFlow(messageKind.flowDelete, flow(1), 301, 0);
    await turns.runAll();
    expect(lines).toEqual(['a change of the peer could not be followed']);
    kernel.isShort = false;
    external.applyFlow(messageKind.flowUpdate, flow(2), 302, 0);
    await turns.runAll();
    expect(kernel.created).toBe(1);
  });

  test('that finds no socket is tried anew by the next call', async () => {
    const kernel = new Kernel();
    let opened = 0;
    const { external, turns, work } = working(0, {
      openSocket: () => {
        if (opened++ === 0) throw new KernelError('open', ENOBUFS, 'no memory');
        return kernel.door;
      },
    });
    expect(() => work.follow('takeover')).toThrow(KernelError);
    expect(work.following).toBeUndefined();
    work.follow('takeover');
    external.applyFlow(messageKind.flowNew, flow(1), 1, 0);
    await turns.runAll();
    expect(kernel.created).toBe(1);
  });
});

describe('a commit into a table that is too small', () => {
  const request = {
    table: 'conntrack',
    onExisting: 'replace',
    onProgress: () => undefined,
  } as const;

  test('counts what it did not try as failed, and names the remedy', async () => {
    const { kernel, turns, lines, work } = working(1_000);
    kernel.full = 300;
    const done = work.commit(request);
    await turns.runAll();
    const summary = await done;
    expect(summary).toMatchObject({ entries: 300, failed: 700, tableFull: true });
    expect(summary.untried).toBeGreaterThan(500);
    expect(kernel.created).toBe(300);
    expect(lines).toContain(tableIsFull);
    expect(commitText(summary)).toBe(
      `committed 300 entries, 700 failed, of which ${summary.untried} untried: ${tableIsFull}`,
    );
    expect(work.last).toMatchObject({ tableFull: true });
  });

  test('does not count what was gathered and not sent as committed', async () => {
    const { kernel, turns, work } = working(200);
    kernel.full = 0;
    const done = work.commit(request);
    await turns.runAll();
    expect(await done).toMatchObject({ entries: 0, failed: 200, tableFull: true });
  });

  test('that just suffices is committed whole', async () => {
    const { kernel, turns, work } = working(300);
    kernel.full = 300;
    const done = work.commit(request);
    await turns.runAll();
    expect(await done).toMatchObject({ entries: 300, failed: 0, tableFull: false, untried: 0 });
  });
});
