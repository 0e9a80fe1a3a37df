import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { refusal } from '../../src/control/protocol.js';
import type { HistoryEntry } from '../../src/control/statusAnswer.js';
import { keepstateCommand } from '../lab/keepstateProgram.js';
import { buildProgram } from '../../src/cli/program.js';
import type { Command } from 'commander';
import { FakeDaemon, quiet, runCli } from './harness.js';
import { waitFor } from '../lab/waitFor.js';
import { sampleStatus } from './statusSample.js';

let daemon: FakeDaemon;

beforeEach(() => {
  daemon = new FakeDaemon();
});

afterEach(async () => {
  await daemon.close();
});

const entry: HistoryEntry = {
  at: '2026-03-01T11:56:55.123Z',
  name: 'VI',
  kind: 'instance',
  from: 'BACKUP',
  to: 'MASTER',
  because: 'priority 0 was received',
};
const done = { message: 'committed 4 entries', counts: { entries: 4, failed: 0 }, durationMs: 2.4 };

/**
 * Each command that asks the daemon once: its words, what it asks, an answer, and the text of it.
 */
const commands = [
  {
    words: ['status'],
    request: { verb: 'status' },
    answer: { ...sampleStatus, problems: [] },
    text: 'fw1 is MASTER since',
  },
  { words: ['history'], request: { verb: 'history' }, answer: [entry], text: 'BACKUP -> MASTER' },
  {
    words: ['history', '--limit', '2'],
    request: { verb: 'history', limit: 2 },
    answer: [],
    text: 'no transition is known yet',
  },
  ...(['commit', 'resync', 'request', 'bulk', 'purge', 'flush'] as const).map((action) => ({
    words: ['sync', action],
    request: { verb: 'sync', action },
    answer: done,
    text: 'committed 4 entries; failed 0 (2 ms)',
  })),
  {
    words: ['sync', 'flush', 'external'],
    request: { verb: 'sync', action: 'flush', cache: 'external' },
    answer: done,
    text: 'committed',
  },
  {
    words: ['failover'],
    request: { verb: 'failover', force: false },
    answer: { message: 'handed over in 5 ms' },
    text: 'handed over in 5 ms',
  },
  {
    words: ['failover', '--force'],
    request: { verb: 'failover', force: true },
    answer: { message: 'handed over' },
    text: 'handed over',
  },
  {
    words: ['failover', '--release'],
    request: { verb: 'failoverRelease' },
    answer: { message: 'no longer held' },
    text: 'no longer held',
  },
  {
    words: ['maintenance', 'on'],
    request: { verb: 'maintenance', on: true, force: false },
    answer: { message: 'maintenance is on' },
    text: 'maintenance is on',
  },
  {
    words: ['maintenance', 'off', '--force'],
    request: { verb: 'maintenance', on: false, force: true },
    answer: { message: 'maintenance is off' },
    text: 'maintenance is off',
  },
  {
    words: ['acknowledge'],
    request: { verb: 'acknowledge', all: false },
    answer: { message: '2 problems acknowledged', counts: { acknowledged: 2 }, durationMs: 0 },
    text: '2 problems acknowledged',
  },
  {
    words: ['acknowledge', '--all'],
    request: { verb: 'acknowledge', all: true },
    answer: { message: 'nothing to acknowledge', counts: { acknowledged: 0 }, durationMs: 0 },
    text: 'nothing to acknowledge',
  },
  {
    words: ['acknowledge', 'two-masters'],
    request: { verb: 'acknowledge', all: false, code: 'two-masters' },
    answer: { message: '1 problem acknowledged', counts: { acknowledged: 1 }, durationMs: 0 },
    text: '1 problem acknowledged',
  },
  {
    words: ['reload'],
    request: { verb: 'reload' },
    answer: { message: 'settings applied' },
    text: 'settings applied',
  },
] as const;

describe.each(commands)('keepstate $words', ({ words, request, answer, text }) => {
  const run = (...more: string[]): ReturnType<typeof runCli> =>
    runCli(...words, '--control', daemon.path, ...more);

  test('asks, prints text and ends with 0', async () => {
    await daemon.listen(() => ({ ok: true, result: answer }));
    const { stdout, stderr, exitCode } = await run();
    expect(daemon.asked).toEqual([request]);
    expect(stdout).toContain(text);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  test('prints JSON', async () => {
    await daemon.listen(() => ({ ok: true, result: answer }));
    const { stdout, exitCode } = await run('--json');
    expect(JSON.parse(stdout)).toEqual(answer);
    expect(exitCode).toBe(0);
  });

  test('a refusal is printed with its remedy and ends with 1', async () => {
    await daemon.listen(() => refusal('no', 'not now', 'later'));
    expect(await run()).toEqual({
      stdout: '',
      stderr: 'keepstate: not now\n  remedy: later\n',
      exitCode: 1,
    });
  });
});

describe('status', () => {
  test('ends with 1 when a problem is shown', async () => {
    await daemon.listen(() => ({ ok: true, result: sampleStatus }));
    const { stdout, exitCode } = await runCli('status', '--control', daemon.path);
    expect(stdout).toContain('remedy: raise HashLimit');
    expect(exitCode).toBe(1);
  });

  test('KEEPSTATE_CONTROL names the socket', async () => {
    await daemon.listen(() => ({ ok: true, result: sampleStatus }));
    process.env['KEEPSTATE_CONTROL'] = daemon.path;
    try {
      expect((await runCli('status')).stdout).toContain('fw1');
    } finally {
      delete process.env['KEEPSTATE_CONTROL'];
    }
  });

  test('something that is no keepstate is told apart', async () => {
    const stranger = createServer((socket) => socket.resume().end('hello\n'));
    await new Promise<void>((resolve) => stranger.listen(daemon.path, resolve));
    const { stderr, exitCode } = await runCli('status', '--control', daemon.path);
    await new Promise((resolve) => stranger.close(resolve));
    expect(stderr).toContain('not a line of the control protocol');
    expect(exitCode).toBe(2);
  });
});

describe('events', () => {
  test('prints each transition until the daemon ends', async () => {
    await daemon.listen(() => refusal('no', 'no'));
    const running = runCli('events', '--follow', '--json', '--control', daemon.path);
    while (daemon.sinks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    daemon.sinks[0]?.(entry);
    // The spy that runCli has set: the line must be out before the daemon ends.
    const { calls } = jest.spyOn(process.stdout, 'write').mock;
    await waitFor(() => calls.length > 0, { description: 'the line' });
    await daemon.close();
    const { stdout, exitCode } = await running;
    const [line, end] = stdout.split('\n');
    expect(JSON.parse(line ?? '')).toEqual(entry);
    expect(JSON.parse(end ?? '')).toMatchObject({ ok: false, code: 'broken-off' });
    expect(exitCode).toBe(2);
  });
});

describe('stats', () => {
  const withListing = (path: string): unknown => ({
    ...sampleStatus,
    sync: { ...sampleStatus.sync, listingPath: path },
  });

  test('prints what the sync engine answers to the request of the section', async () => {
    const listing = join(daemon.directory, 'flows.sock');
    const numbers: number[] = [];
    const engine = createServer((socket) => {
      socket.once('data', (chunk) => {
        numbers.push(Buffer.from(chunk).readInt32LE());
        socket.end('network statistics:\n');
      });
    });
    await new Promise<void>((resolve) => engine.listen(listing, resolve));
    await daemon.listen(() => ({ ok: true, result: withListing(listing) }));
    const plain = await runCli('stats', '--control', daemon.path);
    const network = await runCli('stats', 'network', '--control', daemon.path);
    await new Promise((resolve) => engine.close(resolve));
    expect(network).toEqual({ stdout: 'network statistics:\n', stderr: '', exitCode: 0 });
    expect(plain.exitCode).toBe(0);
    expect(numbers).toEqual([21, 28]);
  });

  test('gives the numbers as JSON', async () => {
    await daemon.listen(() => ({ ok: true, result: sampleStatus }));
    const { stdout } = await runCli('stats', 'network', '--json', '--control', daemon.path);
    expect(JSON.parse(stdout)).toEqual({
      lost: 3,
      malformed: 0,
      strangers: 0,
      unknownAttributes: 5,
    });
  });

  test('an engine that is down is a problem', async () => {
    const gone = join(daemon.directory, 'gone.sock');
    await daemon.listen(() => ({ ok: true, result: withListing(gone) }));
    const { stderr, exitCode } = await runCli('stats', '--control', daemon.path);
    expect(stderr).toContain('the sync engine does not answer');
    expect(exitCode).toBe(1);
  });

  test('a node without a Sync block says so, to programs as JSON', async () => {
    await daemon.listen(() => ({ ok: true, result: { ...sampleStatus, sync: undefined } }));
    const { stdout, stderr, exitCode } = await runCli('stats', '--json', '--control', daemon.path);
    expect(stderr).toContain('no Sync block');
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: 'no-sync' });
    expect(exitCode).toBe(1);
  });
});

describe('words that are no command', () => {
  test('are answered with the way to help', async () => {
    const { stderr, exitCode } = await runCli('frobnicate');
    expect(stderr).toContain("unknown command 'frobnicate'");
    expect(stderr).toContain('keepstate --help');
    expect(exitCode).toBe(1);
  });

  test('a code and all problems cannot be acknowledged together', async () => {
    const { stderr, exitCode } = await runCli('acknowledge', 'parity', '--all');
    expect(stderr).toContain('exclude each other');
    expect(exitCode).toBe(1);
  });

  test('a wrong argument names the right ones', async () => {
    const { stderr, exitCode } = await runCli('maintenance', 'perhaps');
    expect(stderr).toContain('Allowed choices are on, off');
    expect(exitCode).toBe(1);
  });
});

/** Every command that does something, by its words. */
function commandsOf(command: Command, words: readonly string[] = []): readonly [string, Command][] {
  if (command.commands.length === 0) return [[words.join(' '), command]];
  return command.commands.flatMap((one) => commandsOf(one, [...words, one.name()]));
}

describe('help', () => {
  const all = commandsOf(buildProgram());

  test('there are as many commands as the matrix of tests knows', () => {
    expect(all.map(([words]) => words).sort()).toEqual(
      [
        ...[
          'acknowledge',
          'check',
          'conntrack',
          'doctor',
          'events',
          'failover',
          'history',
          'keepalived',
          'key new',
          'maintenance',
          'migrate',
        ],
        ...['flows events', 'flows external', 'flows internal', 'flows kernel'],
        ...['release', 'reload', 'run', 'stats', 'status', 'top'],
        ...['commit', 'resync', 'request', 'bulk', 'purge', 'flush'].map((it) => `sync ${it}`),
      ].sort(),
    );
  });

  test.each(all)('of %s teaches, with examples that can be typed and exit codes', async (words) => {
    const { stdout, exitCode } = await runCli(...words.split(' '), '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: keepstate ${words}`);
    expect(stdout).toMatch(/Exit (code|status): 0 /);
    const examples = [...stdout.matchAll(/\bkeepstate ((?:[^\n|;&>]|\\\n)+)/g)]
      .filter(({ index }) => /(\$ |&& )$/.test(stdout.slice(0, index)))
      .map(([, typed = '']) => typed.trim().split(/\s+/));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const program = buildProgram();
      for (const [, command] of commandsOf(program)) command.action(() => undefined);
      await quiet(program).parseAsync(['node', 'keepstate', ...example]);
    }
  });
});

describe('run', () => {
  // In a process of its own: the daemon's room is loaded lazily, by a dynamic import.
  const run = (config: string): ReturnType<typeof spawnSync> => {
    const [program = '', ...args] = keepstateCommand();
    return spawnSync(program, [...args, 'run', '--config', config], { encoding: 'utf8' });
  };

  test('an unreadable file ends with 2, a wrong one with 1 and its place', () => {
    expect(run(join(daemon.directory, 'none')).status).toBe(2);
    const wrong = join(daemon.directory, 'wrong.conf');
    writeFileSync(wrong, 'vrrp_instance A {\n  interfase eth0\n}\n');
    const { stderr, status } = run(wrong);
    expect(stderr).toContain('wrong.conf:2:3');
    expect(status).toBe(1);
  }, 60_000);
});
