/**
 * The log of ended connections in places that take no lines: a full disk, a pipe that nobody reads,
 * a file that was renamed. The events of the kernel go on, what is lost is counted, and lines are
 * written again when there is room.
 */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { run } from '../../lab/command.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { ConntrackInjector } from '../../support/conntrack/ctInjector.js';
import { linesOf, StatisticsNode, withoutDate } from '../../support/sync/statisticsNode.js';

jest.setTimeout(300_000);

const flows = 4_000;
/** Their events fit into the buffer of the socket, however busy the machine is. */
const atOnce = 2_000;

describe('places that take no lines', () => {
  let lab: Lab;
  let host: Host;
  let injector: ConntrackInjector;

  beforeAll(async () => {
    lab = await Lab.open();
    host = await lab.host('router');
    injector = ConntrackInjector.open(host.namespacePath);
  });

  afterAll(async () => {
    injector.close();
    await lab.close();
  });

  /** Flows that begin and end, each of which the node hears and has logged. */
  async function connections(node: StatisticsNode, base: number, count = flows): Promise<void> {
    for (let done = 0; done < count; done += atOnce) {
      const before = node.status?.logged ?? 0;
      for (const action of ['create', 'delete'] as const) {
        injector.inject({ count: atOnce, base: base + done, timeoutSeconds: 3_000, action });
      }
      await waitFor(
        () => {
          node.command({ kind: 'request', id: 9, request: { verb: 'stats' } });
          return node.status?.logged === before + atOnce;
        },
        { description: `${atOnce} ends`, interval: 20 },
      );
    }
    expect(node.status?.capture).toMatchObject({ entries: 0, overruns: 0 });
  }

  test('a full disk loses lines and no event; with room again all that waits is written, untorn', async () => {
    const ended = 40_000;
    const disk = host.path('disk');
    mkdirSync(disk);
    await run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    try {
      const ballast = `${disk}/ballast`;
      writeFileSync(ballast, Buffer.alloc(900_000));
      const log = `${disk}/stats.log`;
      // JSON is long: 16 MiB of memory are full sooner.
      const node = await StatisticsNode.start(host, { file: log, json: true });
      await connections(node, 0, ended);
      const full = await waitFor(
        () => {
          const [file] = node.status?.outputs ?? [];
          if (file?.failingSince === undefined) return undefined;
          return file.written + file.waiting + file.lost === ended ? file : undefined;
        },
        { description: 'the full disk in the status, and every line in one of its counters' },
      );
      expect(full.reason).toContain('ENOSPC');
      expect(full.lost).toBeGreaterThan(0);
      expect(node.logged('the log of ended connections cannot be written')).toBe(1);
      // 16 MiB wait: they need a larger disk.
      unlinkSync(ballast);
      await run(['mount', '-o', 'remount,size=64m', disk]);
      const over = await waitFor(
        () =>
          node.status?.outputs.find(
            ({ waiting, failingSince }) => waiting === 0 && failingSince === undefined,
          ),
        { description: 'what waited to be written' },
      );
      const lines = linesOf(log);
      expect(lines).toHaveLength(over.written);
      expect(over.written + over.lost).toBe(ended);
      // Each is one whole line of another connection.
      const tuples = lines.map((line) => (JSON.parse(line) as { original: unknown }).original);
      expect(new Set(tuples.map((tuple) => JSON.stringify(tuple))).size).toBe(lines.length);
      await node.stop();
    } finally {
      await run(['umount', disk]);
    }
  });

  test('a pipe that nobody reads holds up nothing; its reader finds whole lines', async () => {
    const pipe = host.path('pipe');
    await run(['mkfifo', pipe]);
    const node = await StatisticsNode.start(host, { file: pipe });
    await connections(node, 200_000);
    await waitFor(() => node.status?.outputs[0]?.failingSince !== undefined, {
      description: 'the full pipe in the status',
    });
    expect(node.status?.outputs[0]).toMatchObject({ lost: 0 });
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    let text = '';
    const block = Buffer.alloc(4_096);
    await waitFor(
      () => {
        // A slow one: 4 KiB at a time.
        for (let i = 0; i < 64; i++) {
          try {
            text += block.toString('latin1', 0, readSync(reader, block, 0, block.length, null));
          } catch {
            break;
          }
        }
        return (
          node.status?.outputs[0]?.waiting === 0 &&
          text.endsWith('\n') &&
          text.split('\n').length > flows
        );
      },
      { description: 'all lines through the pipe', interval: 5 },
    );
    closeSync(reader);
    const lines = text.split('\n').slice(0, -1);
    expect(lines).toHaveLength(flows);
    expect(new Set(lines.map(withoutDate)).size).toBe(flows);
    expect(node.status?.outputs[0]).toMatchObject({ written: flows, lost: 0 });
    await node.stop();
  });

  test('a renamed file is left for a new one, by itself and when that is asked for', async () => {
    const log = host.path('rotated.log');
    const node = await StatisticsNode.start(host, { file: log });
    await connections(node, 400_000);
    await waitFor(() => linesOf(log).length === flows, { description: 'the first file' });
    renameSync(log, `${log}.1`);
    // The name is looked at again within a second of lines.
    let base = 500_000;
    await waitFor(
      async () => {
        await connections(node, (base += flows));
        return linesOf(log).length > 0;
      },
      { description: 'the second file', interval: 300 },
    );
    renameSync(log, `${log}.2`);
    node.command({ kind: 'reopenLogs' });
    await waitFor(() => linesOf(log).length === 0 && linesOf(`${log}.2`).length > 0, {
      description: 'the third file',
    });
    await connections(node, 900_000);
    await node.stop();
    const files = [`${log}.1`, `${log}.2`, log].map(linesOf);
    expect(files[2]?.length).toBe(flows);
    const all = files.flat().map(withoutDate);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(node.status?.logged ?? 0);
  });
});
