import { connect } from 'node:net';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger } from '../../src/base/logger.js';
import { systemClock, SystemTimers } from '../../src/base/systemClock.js';
import { milliseconds, seconds } from '../../src/base/time.js';
import { ask, follow, type ClientOutcome } from '../../src/control/client.js';
import type { ControlRequest, ControlResult } from '../../src/control/protocol.js';
import { ControlServer, type EventSink } from '../../src/control/server.js';

const timers = new SystemTimers(systemClock);
let directory: string;
let path: string;
let server: ControlServer | undefined;
let sinks: EventSink[];
let ended: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-control-'));
  path = join(directory, 'run', 'control.sock');
  sinks = [];
  ended = 0;
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

type Answer = (request: ControlRequest) => Promise<ControlResult>;
const echo: Answer = (request) => Promise.resolve({ ok: true, result: request });

async function listen(answer: Answer = echo, change: object = {}): Promise<ControlServer> {
  server = await ControlServer.listen({
    path,
    handler: {
      answer,
      subscribe: (sink) => {
        sinks.push(sink);
        return () => ended++;
      },
    },
    timers,
    logger: silentLogger,
    ...change,
  });
  return server;
}

/** What the daemon sends to raw bytes, until it closes. */
function converse(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may close while we still write.
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    socket.write(bytes);
  });
}

describe('control server', () => {
  test('answers a request over a socket that only its owner may use', async () => {
    await listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask({ path, timers }, { verb: 'status' })).toEqual({
      kind: 'answer',
      result: { verb: 'status' },
    });
  });

  test('a handler that throws gives a refusal, not an end', async () => {
    await listen(() => Promise.reject(new Error('boom')));
    const outcome = await ask({ path, timers }, { verb: 'status' });
    expect(outcome).toMatchObject({
      kind: 'refused',
      refusal: { code: 'failed', message: 'boom' },
    });
    expect(await ask({ path, timers }, { verb: 'ping' })).toMatchObject({ kind: 'refused' });
  });

  test('nonsense, another version and endless lines are refused', async () => {
    await listen();
    expect(await converse('hello\n')).toContain('"code":"malformed"');
    expect(await converse('{"keepstate":9,"id":1,"verb":"status"}\n')).toContain(
      '"code":"version"',
    );
    expect(await converse('x'.repeat(70_000))).toContain('"code":"too-long"');
  });

  test('a client that says nothing is ended at its deadline, and holds nobody up', async () => {
    const listening = await listen(echo, { clientDeadline: milliseconds(100) });
    const idle = converse('{"keepstate"');
    expect(await ask({ path, timers }, { verb: 'ping' })).toMatchObject({ kind: 'answer' });
    expect(await idle).toBe('');
    while (listening.clientCount > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('clients beyond the limit are turned away', async () => {
    await listen(echo, { clientLimit: 1, clientDeadline: milliseconds(500) });
    const first = converse('');
    let second: ClientOutcome = await ask({ path, timers }, { verb: 'ping' });
    // The idle one may not be accepted yet.
    while (second.kind !== 'refused') second = await ask({ path, timers }, { verb: 'ping' });
    expect(second.refusal.code).toBe('busy');
    await first;
  });

  test('streams leave a place for who asks something; who has too many of them is told', async () => {
    const listening = await listen(echo, { clientLimit: 2, streamLimit: 3 });
    const streams: { close(): void }[] = [];
    const begin = (): Promise<string> =>
      new Promise((resolve) => {
        const stream = follow(
          { path, timers },
          () => undefined,
          (outcome) => resolve(outcome.kind === 'refused' ? outcome.refusal.message : outcome.kind),
        );
        streams.push(stream);
      });
    // One after the other: only two clients may be undecided at a time.
    for (let n = 1; n <= 3; n++) {
      void begin();
      while (sinks.length < n) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await begin()).toBe('too many clients follow events');
    expect(await ask({ path, timers }, { verb: 'status' })).toMatchObject({ kind: 'answer' });
    streams[0]?.close();
    while (ended === 0) await new Promise((resolve) => setImmediate(resolve));
    void begin();
    while (sinks.length < 4) await new Promise((resolve) => setImmediate(resolve));
    for (const stream of streams) stream.close();
    while (listening.clientCount > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a second daemon at the same path is refused, a socket left by a crash is replaced', async () => {
    await listen();
    await expect(listen()).rejects.toThrow('another keepstate answers');
    // What a crash leaves: a socket file that nobody serves.
    linkSync(path, `${path}.left`);
    await server?.close();
    renameSync(`${path}.left`, path);
    await listen();
    expect(await ask({ path, timers }, { verb: 'ping' })).toMatchObject({ kind: 'answer' });
  });

  test('what is not a socket is left alone: a mistyped path must not cost a file', async () => {
    mkdirSync(dirname(path));
    writeFileSync(path, 'precious');
    await expect(listen()).rejects.toThrow(`${path} exists and is not a socket`);
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  test('events are streamed until the client leaves', async () => {
    await listen();
    const events: unknown[] = [];
    const conversation = follow(
      { path, timers },
      (event) => events.push(event),
      () => undefined,
    );
    while (sinks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(sinks[0]?.({ at: 'now' })).toBe(true);
    while (events.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual([{ at: 'now' }]);
    conversation.close();
    while (ended === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(sinks[0]?.({})).toBe(false);
  });

  test('the end of the daemon ends a stream with words', async () => {
    await listen();
    const outcome = new Promise<ClientOutcome>((resolve) => {
      follow({ path, timers }, () => undefined, resolve);
    });
    while (sinks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await server?.close();
    expect(await outcome).toMatchObject({ kind: 'broken' });
  });
});

describe('control client', () => {
  test('no daemon', async () => {
    expect(await ask({ path, timers }, { verb: 'ping' })).toEqual({ kind: 'noDaemon', path });
  });

  test('a daemon that hangs', async () => {
    await listen(() => new Promise(() => undefined));
    const outcome = await ask({ path, timers, timeout: milliseconds(50) }, { verb: 'ping' });
    expect(outcome).toMatchObject({ kind: 'hangs', after: 50_000 });
  });

  test('a path that is no socket', async () => {
    writeFileSync(join(directory, 'file'), '');
    const outcome = await ask(
      { path: join(directory, 'file'), timers, timeout: seconds(5) },
      { verb: 'ping' },
    );
    expect(outcome.kind).toBe('noDaemon');
  });
});
