/** A real HTTP server on the loopback, which behaves as badly as it likes. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { NameLookup } from '../../src/alert/nameLookup.js';
import type { Delivery } from '../../src/alert/courier.js';
import { postAlarm } from '../../src/alert/webhookSink.js';
import { SystemTimers } from '../../src/base/systemClock.js';
import { seconds } from '../../src/base/time.js';
import { roleAlarm } from '../support/alert/alarms.js';
import { ManualTime } from '../support/base/manualTime.js';
import { waitFor } from '../lab/waitFor.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const alarm = roleAlarm(7, { because: 'näher als 3 m' });
let closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

async function post(handler: Handler, path = '/hook?token=x'): Promise<Delivery> {
  const port = await listen(
    createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => handler(request, response, body));
    }),
  );
  return send(`http://user:p%40ss@127.0.0.1:${port}${path}`);
}

function send(url: string): Promise<Delivery> {
  const timers = new SystemTimers();
  return postAlarm(url, alarm, { timers, names: new NameLookup(), version: '0.1.0' });
}

test('the JSON of the alarm is posted, and 2xx is taken', async () => {
  const seen: unknown[] = [];
  const delivery = await post(({ method, url, headers }, response, body) => {
    seen.push(method, url, headers, JSON.parse(body));
    response.writeHead(204).end();
  });
  expect(delivery).toEqual({ kind: 'taken' });
  expect(seen).toEqual([
    'POST',
    '/hook?token=x',
    expect.objectContaining({
      'content-type': 'application/json',
      'user-agent': 'keepstate/0.1.0',
      'idempotency-key': alarm.id,
      authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
    }),
    alarm,
  ]);
});

test.each([
  [500, 'it answers 500'],
  [404, 'it answers 404'],
  [429, 'it answers 429'],
  [304, 'it answers 304'],
])('%i is refused', async (status, reason) => {
  expect(await post((_request, response) => response.writeHead(status).end('no'))).toEqual({
    kind: 'refused',
    reason,
  });
});

test('a redirect is not followed', async () => {
  let requests = 0;
  const delivery = await post((_request, response) => {
    requests++;
    response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end();
  });
  expect(delivery).toMatchObject({ kind: 'refused' });
  expect(delivery).toMatchObject({
    reason: expect.stringMatching(/^it answers 307: redirects/) as string,
  });
  expect(requests).toBe(1);
});

test('an answer without end is cut off behind its first line', async () => {
  let isCut = false;
  const delivery = await post((_request, response) => {
    response.writeHead(200);
    const flood = (): void => {
      while (!isCut && response.write('x'.repeat(65_536)));
    };
    response.on('drain', flood);
    response.on('close', () => (isCut = true));
    flood();
  });
  expect(delivery).toEqual({ kind: 'taken' });
  await waitFor(() => isCut, { description: 'the connection to be closed' });
});

test('headers without end are refused', async () => {
  const port = await listen(
    createTcpServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const flood = (): void => {
        while (!socket.destroyed && socket.write(`X-A: ${'y'.repeat(8_192)}\r\n`));
      };
      socket.on('drain', flood);
      flood();
    }),
  );
  expect(await send(`http://127.0.0.1:${port}/`)).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(/overflow/i) as string,
  });
});

test.each([
  ['nobody answers', (): undefined => undefined],
  ['the answer trickles', (socket: Socket): boolean => socket.write('HTTP/1.1 2')],
])('%s: refused after 10 s, and the connection is gone', async (_what, behave) => {
  const time = new ManualTime();
  const accepted: Socket[] = [];
  const port = await listen(
    createTcpServer((socket) => {
      accepted.push(socket.resume());
      behave(socket);
    }),
  );
  const delivery = postAlarm(`http://127.0.0.1:${port}/`, alarm, {
    ...{ timers: time, names: new NameLookup(), version: '0' },
  });
  await waitFor(() => accepted.length === 1, { description: 'the connection' });
  await time.advance(seconds(11));
  expect(await delivery).toEqual({ kind: 'refused', reason: 'no answer within 10 s' });
  await waitFor(() => accepted[0]?.destroyed === true, {
    description: 'the end of the connection',
  });
});

test('nobody listens, and a name that is none', async () => {
  expect(await send('http://127.0.0.1:9/')).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('ECONNREFUSED') as string,
  });
  const names = new NameLookup((_name, _options, answer) => {
    answer(new Error('getaddrinfo ENOTFOUND x'), '');
  });
  const delivery = await postAlarm('http://x.invalid/', alarm, {
    ...{ timers: new SystemTimers(), names, version: '0' },
  });
  expect(delivery).toEqual({ kind: 'refused', reason: 'getaddrinfo ENOTFOUND x' });
});

test('https that is none is refused', async () => {
  const port = await listen(createTcpServer((socket) => socket.end('not TLS')));
  expect(await send(`https://127.0.0.1:${port}/`)).toMatchObject({ kind: 'refused' });
});
