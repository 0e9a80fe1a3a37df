/**
 * Each command that needs the daemon, when there is none, when it may not be asked, and when it
 * hangs.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { timers } from '../../src/cli/talk.js';
import { microseconds } from '../../src/base/time.js';
import { defaultControlPath } from '../../src/config/nodeSettings.js';
import { refusal } from '../../src/control/protocol.js';
import { instanceText } from '../config/loading.js';
import { FakeDaemon, runCli, type CliRun } from './harness.js';

/** Words, and how long the command waits for an answer. */
const commands: readonly (readonly [string, number])[] = [
  ['status', 5],
  ['history', 5],
  ['events', 5],
  ['flows internal', 5],
  ['flows external', 5],
  ['stats', 5],
  ['stats network', 5],
  ['sync commit', 70],
  ['sync resync', 70],
  ['sync request', 70],
  ['sync bulk', 70],
  ['sync purge', 70],
  ['sync flush', 70],
  ['failover', 70],
  ['failover --release', 70],
  ['maintenance on', 70],
  ['maintenance off', 70],
  ['reload', 70],
];

let daemon: FakeDaemon;
let silent: Server | undefined;

beforeEach(() => {
  daemon = new FakeDaemon();
});

afterEach(async () => {
  jest.restoreAllMocks();
  const server = silent;
  silent = undefined;
  if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  await daemon.close();
});

/** Accepts, reads, and never answers. */
async function listenSilently(): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  silent = server;
  await new Promise<void>((resolve) => server.listen(daemon.path, resolve));
}

/** Lets time run a thousand times as fast, so that nobody waits for 70 seconds. */
function hurry(): void {
  const after = timers.after.bind(timers);
  jest
    .spyOn(timers, 'after')
    .mockImplementation((delay, run) => after(microseconds(Math.ceil(delay / 1_000)), run));
}

/** As somebody who may not write to the socket: root may use any, so root asks as another user. */
async function asStranger(run: () => Promise<CliRun>): Promise<CliRun> {
  chmodSync(daemon.directory, 0o755);
  chmodSync(daemon.path, 0);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** One JSON object where JSON was asked for; else nothing. */
function forProgram(more: readonly string[], refused: object): string {
  return more.includes('--json') ? `${JSON.stringify({ ok: false, ...refused })}\n` : '';
}

describe.each(commands)('keepstate %s', (line, patience) => {
  const words = line.split(' ');
  const forms = [
    ['text', []],
    ['JSON', ['--json']],
  ] as const;
  const run = (more: readonly string[]): Promise<CliRun> =>
    runCli(...words, '--control', daemon.path, ...more);

  test.each(forms)('says what to do when no daemon runs, asked for %s', async (_form, more) => {
    expect(await run(more)).toEqual({
      stdout: forProgram(more, {
        code: 'no-daemon',
        message: `no daemon answers at ${daemon.path}`,
        remedy: 'systemctl start keepstate, or name its socket with --control or KEEPSTATE_CONTROL',
      }),
      stderr: `keepstate: no daemon answers at ${daemon.path}\n  remedy: systemctl start keepstate, or name its socket with --control or KEEPSTATE_CONTROL\n`,
      exitCode: 2,
    });
  });

  test.each(forms)('says what to do when it may not ask, asked for %s', async (_form, more) => {
    await listenSilently();
    expect(await asStranger(() => run(more))).toEqual({
      stdout: forProgram(more, {
        code: 'not-allowed',
        message: `no permission to use ${daemon.path}`,
        remedy: 'run this as root',
      }),
      stderr: `keepstate: no permission to use ${daemon.path}\n  remedy: run this as root\n`,
      exitCode: 2,
    });
  });

  test.each(forms)('gives a daemon up that does not answer, asked for %s', async (_form, more) => {
    await listenSilently();
    hurry();
    const { stdout, stderr, exitCode } = await run(more);
    const lines = stderr.split('\n');
    expect(lines.slice(-3)).toEqual([
      `keepstate: the daemon at ${daemon.path} did not answer within ${patience} s`,
      '  remedy: see its log; "kill -USR1" its process shows whether it still works',
      '',
    ]);
    // Who waits long is told so.
    expect(lines.slice(0, -3)).toEqual(
      patience > 5 ? [`keepstate: still waiting, for ${patience} s at most`] : [],
    );
    const told = forProgram(more, {
      code: 'no-answer',
      message: `the daemon at ${daemon.path} did not answer within ${patience} s`,
      remedy: 'see its log; "kill -USR1" its process shows whether it still works',
    });
    expect({ stdout, exitCode }).toEqual({ stdout: told, exitCode: 2 });
  });
});

test.each(commands.filter(([line]) => !/^(events|flows)/.test(line)))(
  'keepstate %s --json gives a refusal of the daemon as JSON, and 1',
  async (line) => {
    await daemon.listen(() => refusal('busy', 'a hand-over is on its way', 'wait for its end'));
    const words = [...line.split(' '), '--json', '--control', daemon.path];
    const { stdout, stderr, exitCode } = await runCli(...words);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      code: 'busy',
      message: 'a hand-over is on its way',
      remedy: 'wait for its end',
    });
    expect(stderr).toBe('keepstate: a hand-over is on its way\n  remedy: wait for its end\n');
    expect(exitCode).toBe(1);
  },
);

describe('without --control', () => {
  const ask = async (text: string | undefined): Promise<CliRun> => {
    const config = join(daemon.directory, 'node.conf');
    if (text !== undefined) writeFileSync(config, text);
    return runCli('maintenance', 'off', '--config', config);
  };

  test('the control_socket of the configuration is asked', async () => {
    await daemon.listen(() => ({ ok: true, result: { message: 'maintenance is off' } }));
    const instance = instanceText('', `global_defs {\n  control_socket ${daemon.path}\n}\n`);
    expect(await ask(instance)).toMatchObject({ stdout: 'maintenance is off\n', exitCode: 0 });
    const included = join(daemon.directory, 'globals.conf');
    writeFileSync(included, `global_defs {\n  control_socket ${daemon.path}\n}\n`);
    expect(await ask(`include ${included}\n${instanceText()}`)).toMatchObject({ exitCode: 0 });
  });

  test.each([
    ['no file', undefined],
    ['a file with errors', 'control_socket {\n'],
    ['a file that says nothing of it', instanceText()],
  ])('%s leaves the usual path', async (_title, text) => {
    const { stderr, exitCode } = await ask(text);
    expect(stderr).toContain(defaultControlPath);
    expect(exitCode).toBe(2);
  });
});

describe('a control path that cannot be one', () => {
  const reply = (value: string, why: string): CliRun => ({
    stdout: '',
    stderr: `error: option '--control <path>' argument '${value}' is invalid. ${why}\n(keepstate --help lists the commands; keepstate COMMAND --help teaches one)\n`,
    exitCode: 1,
  });

  test.each(['status', 'run', 'sync commit'])('keepstate %s refuses an empty one', async (line) => {
    expect(await runCli(...line.split(' '), '--control', '')).toEqual(
      reply('', 'It is empty: give a path, or leave it out.'),
    );
  });

  test('as KEEPSTATE_CONTROL it is refused too', async () => {
    process.env['KEEPSTATE_CONTROL'] = '';
    try {
      const { stderr, exitCode } = await runCli('status');
      expect(stderr).toContain(`value '' from env 'KEEPSTATE_CONTROL' is invalid. It is empty`);
      expect(exitCode).toBe(1);
    } finally {
      delete process.env['KEEPSTATE_CONTROL'];
    }
  });

  test('one that a socket cannot have is refused before anybody is asked', async () => {
    const path = `/${'x'.repeat(107)}`;
    expect(await runCli('status', '--control', path)).toEqual(
      reply(path, 'The path of a socket has at most 107 bytes.'),
    );
  });

  test('a number is a file name here, not a TCP port', async () => {
    expect((await runCli('status', '--control', '8080')).stderr).toContain(
      `no daemon answers at ${process.cwd()}/8080`,
    );
  });
});
