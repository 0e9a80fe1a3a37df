/** The replication channel over TCP, between two addresses of the loopback interface. */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { systemClock, SystemTimers, systemTurns } from '../../../src/base/systemClock.js';
import { TcpChannel } from '../../../src/net/channel/tcpChannel.js';
import type { StreamFraming } from '../../../src/net/ports.js';
import { waitFor } from '../../lab/waitFor.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

/** Lines of any length; a line that starts with `!` is out of step. */
class Lines implements StreamFraming {
  #held = '';

  push(chunk: Uint8Array, deliver: (messages: Uint8Array) => void): boolean {
    const lines = (this.#held + Buffer.from(chunk).toString()).split('\n');
    this.#held = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('!')) return false;
      deliver(Buffer.from(line));
    }
    return true;
  }
}

jest.setTimeout(60_000);

const open: TcpChannel[] = [];
const servers: Server[] = [];
const sockets: Socket[] = [];
let port = 20_000 + (process.pid % 20_000);

beforeEach(() => {
  port++;
});

afterEach(() => {
  for (const channel of open.splice(0)) channel.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

interface Node {
  readonly channel: TcpChannel;
  readonly heard: string[];
  readonly changes: string[];
  readonly refused: string[];
}

function node(
  own: string,
  peer: string,
  admits: (source: IpAddress) => boolean = () => true,
): Node {
  const opened = TcpChannel.open(
    {
      family: own.includes(':') ? 6 : 4,
      interfaceName: 'lo',
      localAddress: ip(own),
      destination: ip(peer),
      port,
      sendBufferBytes: 16_384,
      receiveBufferBytes: 16_384,
    },
    {
      timers: new SystemTimers(systemClock),
      turns: systemTurns,
      newFraming: () => new Lines(),
    },
  );
  if (opened.kind === 'refused') throw new Error(`${opened.operation} ${opened.outcome.kind}`);
  const { channel } = opened;
  open.push(channel);
  const seen: Node = { channel, heard: [], changes: [], refused: [] };
  channel.onDatagram((messages, source) => {
    seen.heard.push(`${source.bytes.at(-1)}:${Buffer.from(messages).toString()}`);
  });
  channel.watch({
    admits: (source) => {
      const isWelcome = admits(source);
      if (!isWelcome) seen.refused.push(String(source.bytes.at(-1)));
      return isWelcome;
    },
    changed: (direction, isConnected) => {
      seen.changes.push(`${direction} ${isConnected}`);
    },
  });
  return seen;
}

const say = (from: Node, text: string): string => from.channel.send(Buffer.from(`${text}\n`)).kind;
const connectedBothWays = async (...nodes: Node[]): Promise<void> => {
  await waitFor(() => nodes.every(({ channel }) => channel.isSending && channel.isReceiving));
};

/** Somebody else on the loopback network. */
function stranger(from: string, to: string): Socket {
  const socket = connect({ host: to, port, localAddress: from });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

test.each([
  ['127.0.0.1', '127.0.0.2', 1, 2],
  ['::1', '::1', 1, 1],
])('%s and %s hear each other, each on the connection that the other made', async (a, b, x, y) => {
  if (a === b) {
    const alone = node(a, b);
    await connectedBothWays(alone);
    expect(say(alone, 'one')).toBe('done');
    await waitFor(() => alone.heard.length === 1);
    return;
  }
  const first = node(a, b);
  const second = node(b, a);
  await connectedBothWays(first, second);
  expect([say(first, 'one'), say(second, 'two')]).toEqual(['done', 'done']);
  await waitFor(() => first.heard.length === 1 && second.heard.length === 1);
  expect([first.heard, second.heard]).toEqual([[`${y}:two`], [`${x}:one`]]);
});

test('without a peer it refuses, says so once it knows, and connects when the peer is there', async () => {
  const alone = node('127.0.0.1', '127.0.0.2');
  let told = 0;
  expect(alone.channel.send(Buffer.from('early\n'))).toMatchObject({ errno: 11 });
  alone.channel.onceWritable(() => told++);
  await waitFor(() => told === 1);
  expect(alone.channel.send(Buffer.from('early\n'))).toMatchObject({ errno: 107 });
  alone.channel.onceWritable(() => told++);
  const late = node('127.0.0.2', '127.0.0.1');
  await waitFor(() => alone.channel.isSending);
  expect(told).toBeGreaterThan(1);
  say(alone, 'now');
  await waitFor(() => late.heard.length === 1);
});

test('a peer that starts again is connected to at once, because it connects', async () => {
  const first = node('127.0.0.1', '127.0.0.2');
  const before = node('127.0.0.2', '127.0.0.1');
  await connectedBothWays(first, before);
  before.channel.close();
  await waitFor(() => first.changes.includes('sending false'));
  const again = node('127.0.0.2', '127.0.0.1');
  await connectedBothWays(first, again);
  say(first, 'x');
  await waitFor(() => again.heard.length === 1);
});

test('a stranger is closed and does not take the place of the peer', async () => {
  const isPeer = (source: IpAddress): boolean => source.bytes.at(-1) !== 66;
  const first = node('127.0.0.1', '127.0.0.2', isPeer);
  const second = node('127.0.0.2', '127.0.0.1');
  await connectedBothWays(first, second);
  const bad = stranger('127.0.0.66', '127.0.0.1');
  await waitFor(() => bad.destroyed);
  expect(first.refused).toEqual(['66']);
  say(second, 'still here');
  await waitFor(() => first.heard.length === 1);
  expect(first.changes.filter((change) => change.startsWith('receiving'))).toEqual([
    'receiving true',
  ]);
});

test('another host that is admitted speaks while the peer does not, and gives way to it', async () => {
  const first = node('127.0.0.1', '127.0.0.2');
  const other = stranger('127.0.0.3', '127.0.0.1');
  other.write('hello\n');
  await waitFor(() => first.heard.includes('3:hello'));
  node('127.0.0.2', '127.0.0.1');
  await waitFor(() => other.destroyed);
  const later = stranger('127.0.0.3', '127.0.0.1');
  await waitFor(() => later.destroyed);
  expect(first.channel.isReceiving).toBe(true);
});

test('a stream out of step is closed, and the next connection starts afresh', async () => {
  const first = node('127.0.0.1', '127.0.0.2');
  const bad = stranger('127.0.0.2', '127.0.0.1');
  bad.write('good\n!bad\nbehind\n');
  await waitFor(() => bad.destroyed);
  expect(first.heard).toEqual(['2:good']);
  stranger('127.0.0.2', '127.0.0.1').write('fresh\n');
  await waitFor(() => first.heard.includes('2:fresh'));
  expect(first.heard).not.toContain('2:behind');
});

test('half a message on a connection that ended is not joined to the next one', async () => {
  const first = node('127.0.0.1', '127.0.0.2');
  const before = stranger('127.0.0.2', '127.0.0.1');
  before.end('half');
  await waitFor(() => first.changes.includes('receiving false'));
  stranger('127.0.0.2', '127.0.0.1').write('whole\n');
  await waitFor(() => first.heard.length === 1);
  expect(first.heard).toEqual(['2:whole']);
});

test('a peer that does not read stops the sender: bounded, nothing lost, and it goes on', async () => {
  const lines: string[] = [];
  const held: Socket[] = [];
  let text = '';
  const deaf = createServer({ pauseOnConnect: true }, (socket) => held.push(socket));
  servers.push(deaf);
  deaf.listen(port, '127.0.0.2');
  const first = node('127.0.0.1', '127.0.0.2');
  await waitFor(() => first.channel.isSending && held.length === 1);
  const block = 'x'.repeat(1_400);
  let sent = 0;
  let isFull = false;
  await waitFor(
    () => {
      const outcome = first.channel.send(Buffer.from(`${sent} ${block}\n`));
      if (outcome.kind === 'done') sent++;
      else isFull = true;
      return isFull;
    },
    { interval: 0 },
  );
  expect(sent * 1_400).toBeLessThan(16_000_000);
  let told = 0;
  first.channel.onceWritable(() => told++);
  held[0]?.on('data', (chunk) => {
    text += chunk.toString();
    const parts = text.split('\n');
    text = parts.pop() ?? '';
    lines.push(...parts.map((line) => line.split(' ')[0] ?? ''));
  });
  held[0]?.resume();
  await waitFor(() => told === 1 && lines.length === sent);
  expect(lines).toEqual(Array.from({ length: sent }, (_, i) => String(i)));
  for (const socket of held) socket.destroy();
});

test('made anew, what waited in the process is dropped and the next connection is another', async () => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
  });
  servers.push(server);
  server.listen(port, '127.0.0.2');
  const first = node('127.0.0.1', '127.0.0.2');
  await waitFor(() => accepted.length === 1 && first.channel.isSending);
  first.channel.restart();
  await waitFor(() => accepted.length === 2 && first.channel.isSending);
  await waitFor(() => accepted[0]?.destroyed);
  for (const socket of accepted) socket.destroy();
});

test('an address that is not here, and an interface that is not, are refused with the reason', () => {
  expect(() => node('192.0.2.1', '127.0.0.2')).toThrow('bind the listener');
  const opened = TcpChannel.open(
    {
      family: 4,
      interfaceName: 'nowhere',
      localAddress: ip('127.0.0.1'),
      destination: ip('127.0.0.2'),
      port,
    },
    { timers: new SystemTimers(systemClock), turns: systemTurns, newFraming: () => new Lines() },
  );
  expect(opened).toMatchObject({ kind: 'refused', operation: 'interface nowhere' });
});
