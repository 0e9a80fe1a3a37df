/**
 * The programs whose cost bench/conntrack.ts measures, each a process in the namespace it is
 * started in:
 *
 *   watch BUFFER_BYTES      mirrors the kernel's table; `report` on stdin prints a line
 *   commit COUNT NAT FILE   commits COUNT flows from a table; FILE gets the same messages (empty: none)
 *   dump                    reads the kernel's table into a table, and the longest pause of the event loop
 */
import { openSync, writeSync, closeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { silentLogger } from '../src/base/logger.js';
import { SystemTimers, systemClock, systemTurns } from '../src/base/systemClock.js';
import { FlowCommit } from '../src/conntrack/kernel/flowCommit.js';
import { FlowFilter } from '../src/conntrack/flowFilter.js';
import { FlowMirror } from '../src/conntrack/kernel/flowMirror.js';
import { encodeCreate } from '../src/conntrack/codec/flowRequests.js';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  newScratch,
  addressRole,
  recordWord,
} from '../src/conntrack/record/flowRecord.js';
import { FlowTable } from '../src/conntrack/record/flowTable.js';
import { KernelDump } from '../src/conntrack/kernel/kernelDump.js';
import { KernelWatch } from '../src/conntrack/kernel/kernelWatch.js';
import { MessageBatch } from '../src/conntrack/codec/messageBatch.js';
import { NameTable } from '../src/conntrack/record/nameTable.js';
import { inlineMore } from '../src/daemon/host/compiler.js';
import { upsert } from '../test/support/conntrack/records.js';

// As the daemon does.
inlineMore();

const names = new NameTable();
const table = new FlowTable({ names, hashSeed: 0x0b5e55ed });

function say(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function memory(): Record<string, number> {
  return { flows: table.count, tableBytes: table.memoryBytes, rss: process.memoryUsage.rss() };
}

async function watch(bufferBytes: number): Promise<void> {
  const mirror = new FlowMirror({
    table,
    filter: new FlowFilter({}),
    kernelFilters: false,
    isOwnPort: () => false,
    clock: systemClock,
    turns: systemTurns,
    listener: {
      created: () => undefined,
      updated: () => undefined,
      destroyed: (slot) => table.remove(slot),
      refused: () => undefined,
    },
  });
  const options = { names, bufferBytes, maxBufferBytes: bufferBytes, reliable: false };
  const watching = new KernelWatch(
    { ...options, expectations: false },
    {
      mirror,
      timers: new SystemTimers(),
      turns: systemTurns,
      logger: silentLogger,
      onExpectation: () => undefined,
    },
  );
  await watching.start();
  say({ ready: true, ...memory() });
  createInterface({ input: process.stdin }).on('line', () => {
    const { received, overruns } = watching.events;
    say({ received, overruns, ...memory() });
  });
}

/** Established TCP through the gateway; with NAT each has an address and port of its own. */
function fill(count: number, isTranslated: boolean): void {
  const scratch = newScratch(names);
  const now = Math.floor(systemClock.now() / 1_000_000);
  for (let i = 0; i < count; i++) {
    clearScratch(scratch);
    scratch.setKind(false, 6);
    scratch.setAddressWord(
      addressRole.originalSource,
      0,
      0x0000000a | ((1 + Math.floor(i / 50_000)) << 24),
    );
    scratch.setAddressWord(addressRole.originalDestination, 0, 0x146433c6);
    scratch.set(recordWord.originalPorts, ((10_000 + (i % 50_000)) << 16) | 443);
    scratch.set(recordWord.status, 0x0e);
    scratch.set(recordWord.timeout, 432_000);
    scratch.set(recordWord.mark, 7);
    scratch.setInfo(0, 0xff, 3);
    scratch.learn(
      presenceBit.ports |
        presenceBit.status |
        presenceBit.timeout |
        presenceBit.mark |
        presenceBit.state,
    );
    deriveReply(scratch);
    if (isTranslated) {
      const address = 0x007100cb | ((5 + Math.floor(i / 40_000)) << 24);
      scratch.setAddressWord(addressRole.replyDestination, 0, address);
      scratch.set(recordWord.replyPorts, (443 << 16) | (20_000 + (i % 40_000)));
      scratch.set(recordWord.status, 0x19e);
    }
    if (table.insert(scratch, now) === 0) throw new Error('table full');
  }
}

function saveMessages(path: string): void {
  const file = openSync(path, 'w');
  const batch = new MessageBatch(128 * 512);
  const cursor = table.newCursor();
  const flush = (): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(batch.length);
    writeSync(file, Buffer.concat([length, batch.written()]));
    batch.clear();
  };
  for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
    const options = { timeoutSeconds: 432_000, windowTracking: false };
    encodeCreate(batch, table.seek(slot, cursor), slot, options);
    if (batch.count === 128) flush();
  }
  if (batch.count > 0) flush();
  closeSync(file);
}

async function commit(count: number, isTranslated: boolean, path: string): Promise<void> {
  fill(count, isTranslated);
  if (path !== '') saveMessages(path);
  // The compiler is warm in a daemon that has encoded its share of events.
  const warm = new MessageBatch(1 << 20);
  const cursor = table.newCursor();
  for (let slot = table.next(0); slot !== 0 && slot < 30_000; slot = table.next(slot)) {
    warm.clear();
    const options = { timeoutSeconds: 1, windowTracking: false };
    encodeCreate(warm, table.seek(slot, cursor), slot, options);
  }
  const started = new FlowCommit(
    table,
    {
      windowTracking: false,
      onExisting: 'replace',
      overdue: 'keep',
    },
    systemClock,
    systemTurns,
  );
  const { committed, failed, duration } = await started.done;
  say({ committed, failed, milliseconds: duration / 1_000 });
}

async function dump(): Promise<void> {
  // Loads the addon, as a daemon has long done; the decoder and the table stay cold.
  await new KernelDump({ kind: 'expectations' }, names, {}).done;
  let longest = 0;
  let longestCpu = 0;
  let cpuBefore = 0;
  let before = performance.now();
  let isRunning = true;
  const look = (): void => {
    const now = performance.now();
    const { user, system } = process.cpuUsage();
    if (now - before > longest) {
      longest = now - before;
      // Of all threads, the compiler's included: what is missing to the pause was other programs'
      // time.
      longestCpu = (user + system - cpuBefore) / 1_000;
    }
    before = now;
    cpuBefore = user + system;
    if (isRunning) setImmediate(look);
  };
  setImmediate(look);
  const startedAt = performance.now();
  const reader = new KernelDump({ kind: 'flows' }, names, {
    flow: (flow) => void upsert(table, flow, 1),
  });
  const entries = await reader.done;
  isRunning = false;
  const milliseconds = performance.now() - startedAt;
  say({ entries, milliseconds, longestPause: longest, longestPauseCpu: longestCpu, ...memory() });
}

async function main(): Promise<void> {
  const [mode = '', a = '0', b = '', c = ''] = process.argv.slice(2);
  if (mode === 'watch') await watch(Number(a));
  else if (mode === 'commit') await commit(Number(a), b === 'nat', c);
  else await dump();
}

void main();
