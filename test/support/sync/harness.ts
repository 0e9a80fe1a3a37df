/**
 * The replication engine as a program for namespace tests: settings as JSON in a file, commands as
 * JSON lines on stdin, reports as JSON lines on stdout. `{"kind":"list","cache":"internal"}` lists
 * a cache as conntrackd does, ages left out, and without an internal cache the kernel's flows in
 * its place; `{"kind":"digest"}` tells count, fingerprint and memory of both caches;
 * `{"kind":"client","request":16}` gives what conntrackd's client gets. After
 * `{"kind":"freezeInCommit"}` the next role's commit stops the whole program in its midst, until
 * SIGCONT. With a second argument it watches the interfaces, as the daemon's main thread does.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Logger } from '../../../src/base/logger.js';
import type { Turns } from '../../../src/base/time.js';
import { systemClock, SystemTimers, systemTurns } from '../../../src/base/systemClock.js';
import { systemRandom } from '../../../src/base/systemRandom.js';
import { KernelDump } from '../../../src/conntrack/kernel/kernelDump.js';
import { lifecycle, type FlowCursor } from '../../../src/conntrack/record/flowRecord.js';
import { flowLine } from '../../../src/conntrack/text/flowLine.js';
import { flowFromRecord } from '../../../src/conntrack/text/recordView.js';
import { NetworkReporter } from '../../../src/daemon/host/networkReporter.js';
import { RtnetlinkWatch } from '../../../src/net/netlink/rtnetlinkWatch.js';
import { answerClient, type Clients } from '../../../src/sync/client/clientRequests.js';
import { ClientServer } from '../../../src/sync/client/clientServer.js';
import { Commands } from '../../../src/sync/worker/commands.js';
import type { Engine } from '../../../src/sync/engine/engine.js';
import type { CacheName, SyncCommand, SyncReport } from '../../../src/sync/messages.js';
import type { StatisticsSettings, SyncSettings } from '../../../src/sync/settings.js';
import { EndedFlowLog } from '../../../src/sync/statistics/endedFlowLog.js';
import { nodeLogFiles } from '../../../src/sync/statistics/logFiles.js';
import { sendSyslog, syncChannels } from '../../../src/sync/worker/workerChannel.js';

const [settingsFile = '', watch] = process.argv.slice(2);
const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** `armed` by a test, `begun` when a commit has reported its begin: the next turns belong to it. */
let freeze: 'off' | 'armed' | 'begun' = 'off';
const turns: Turns = {
  next: (callback) => {
    systemTurns.next(() => {
      callback();
      if (freeze !== 'begun') return;
      freeze = 'off';
      print({ kind: 'frozen' });
      process.kill(process.pid, 'SIGSTOP');
    });
  },
};

const timers = new SystemTimers(systemClock);
const logger: Logger = {
  log: (level, message, fields = {}) => {
    print({ kind: 'log', level, message, fields });
  },
};
const openLog = (settings: StatisticsSettings): EndedFlowLog =>
  new EndedFlowLog(settings, {
    clock: systemClock,
    timers,
    turns,
    logger,
    files: nodeLogFiles,
    sendSyslog,
  });
const commands = new Commands({
  clock: systemClock,
  timers,
  turns,
  random: systemRandom,
  logger,
  openChannel: syncChannels(timers, systemTurns),
  openServer: (options) => new ClientServer(options),
  openLog,
  report: (report: SyncReport) => {
    print(report);
    if (freeze === 'armed' && report.kind === 'commitProgress') freeze = 'begun';
  },
});

/** Addresses are {family, bytes: number[]} in the file and in commands. */
function parse(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) =>
    key === 'bytes' && Array.isArray(value) ? Uint8Array.from(value as number[]) : value,
  );
}

const settings = parse(readFileSync(settingsFile, 'utf8')) as SyncSettings;

async function listKernel(engine: Engine, withReply: boolean): Promise<string[]> {
  const lines: string[] = [];
  const dump = new KernelDump({ kind: 'flows' }, engine.names, {
    flow: (flow) => {
      if (engine.filter.accepts(flow)) lines.push(lineOf(flow, withReply));
    },
  });
  await dump.done;
  return lines.sort();
}

function lineOf(flow: FlowCursor, withReply: boolean): string {
  return flowLine(flowFromRecord(flow, { withReply }), { withoutTimeout: true }).trim();
}

async function list(engine: Engine, cache: CacheName, withReply: boolean): Promise<string[]> {
  if (cache === 'internal' && engine.internal.fullTable === undefined)
    return listKernel(engine, withReply);
  const { table } = engine[cache];
  const cursor = table.newCursor();
  const lines: string[] = [];
  for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
    if (table.lifecycle(slot) === lifecycle.dead) continue;
    lines.push(lineOf(table.seek(slot, cursor), withReply));
  }
  return lines.sort();
}

async function clientText(clients: Clients, request: number): Promise<string> {
  let text = '';
  const status = (): never => {
    throw new Error('statistics need a status');
  };
  for await (const piece of answerClient(clients, request, status, 0)) text += piece;
  return text;
}

type Extra =
  | { readonly kind: 'client'; readonly request: number }
  | { readonly kind: 'list'; readonly cache: CacheName; readonly withReply: boolean }
  | { readonly kind: 'digest' }
  | { readonly kind: 'freezeInCommit' };

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = parse(line) as SyncCommand | Extra;
  const { engine, role } = commands;
  if (command.kind === 'list') {
    if (engine === undefined) return;
    void list(engine, command.cache, command.withReply).then((lines) => {
      print({ kind: 'list', lines });
    });
  } else if (command.kind === 'client') {
    if (engine === undefined || role === undefined) return;
    void clientText({ engine, role }, command.request).then((text) => {
      print({ kind: 'client', text });
    });
  } else if (command.kind === 'freezeInCommit') freeze = 'armed';
  else if (command.kind === 'digest') {
    if (engine === undefined) return;
    const { internal, external } = engine;
    print({
      kind: 'digest',
      internal: [internal.table.alive, ...internal.table.fingerprint.words],
      external: [external.table.alive, ...external.table.fingerprint.words],
      internalBytes: internal.table.memoryBytes,
      rss: process.memoryUsage.rss(),
      passes: engine.feed.mirror.counters.passes,
    });
  } else {
    commands.handle(command).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
      process.exit(1);
    });
  }
});

const started = commands.handle({ kind: 'start', settings });
if (watch !== undefined) {
  const network = RtnetlinkWatch.open({ timers, logger });
  void Promise.all([started, network.load()]).then(() => {
    const reporter = new NetworkReporter({
      network,
      timers,
      post: (command) => void commands.handle(command),
      virtualAddresses: () => [],
      linkNames: () => settings.links.map(({ interfaceName }) => interfaceName),
    });
    reporter.sendAll();
  });
}
