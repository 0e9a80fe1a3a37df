/**
 * Holds `--count` TCP connections to `--host` `--port`, each sending a numbered message every
 * `--interval` ms (0: idle until the end) and checking that the echo comes back complete and in
 * order. Prints {"ready":true} when all are established; after a line on standard input it sends
 * one last message on each, waits up to `--settle` ms for all echoes, and prints the report.
 */
import { connect, type Socket } from 'node:net';
import { argument, nowMilliseconds, numberArgument, onStop, report } from './report.js';

const host = argument('host');
const port = numberArgument('port', 7000);
const count = numberArgument('count', 1);
const interval = numberArgument('interval', 50);
const settle = numberArgument('settle', 20_000);

/** «n;» padded to 32 bytes. */
const messageBytes = 32;

class Client {
  readonly #socket: Socket;
  #sent = 0;
  #received = 0;
  #pending = '';
  #lastEcho = nowMilliseconds();
  longestSilence = 0;
  established = false;
  isReset = false;
  isClosed = false;
  mismatches = 0;
  error: string | undefined;

  constructor(onEstablished: () => void) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('connect', () => {
      this.established = true;
      this.#lastEcho = nowMilliseconds();
      onEstablished();
    });
    this.#socket.on('data', (text: string) => {
      this.#take(text);
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
      this.isReset ||= error.code === 'ECONNRESET' || error.code === 'EPIPE';
    });
    this.#socket.on('close', () => {
      this.isClosed = true;
    });
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#received;
  }

  /** Every message came back, in order, and nothing ended the connection. */
  get survives(): boolean {
    return (
      this.established && !this.isClosed && this.mismatches === 0 && this.#received === this.#sent
    );
  }

  get isWaiting(): boolean {
    return this.established && !this.isClosed && this.#received < this.#sent;
  }

  sendNext(): void {
    if (!this.established || this.isClosed) return;
    if (this.#received === this.#sent) this.#lastEcho = nowMilliseconds();
    this.#socket.write(expectedMessage(this.#sent++));
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const now = nowMilliseconds();
    this.longestSilence = Math.max(this.longestSilence, now - this.#lastEcho);
    this.#lastEcho = now;
    this.#pending += text;
    while (this.#pending.length >= messageBytes) {
      const message = this.#pending.slice(0, messageBytes);
      this.#pending = this.#pending.slice(messageBytes);
      if (message !== expectedMessage(this.#received++)) this.mismatches++;
    }
  }
}

function expectedMessage(n: number): string {
  return `${n};`.padEnd(messageBytes, '.');
}

const clients: Client[] = [];
let established = 0;

function open(): void {
  // A few hundred at a time: the accept queue of the far end has a limit.
  if (clients.length >= count) return;
  const batch = Math.min(200, count - clients.length);
  for (let i = 0; i < batch; i++) {
    clients.push(
      new Client(() => {
        established++;
        if (established === count) report({ ready: true });
      }),
    );
  }
  setTimeout(open, 20);
}

function conclude(): void {
  const sum = (pick: (client: Client) => number): number =>
    clients.reduce((total, client) => total + pick(client), 0);
  report({
    connections: count,
    established,
    survivors: sum((client) => (client.survives ? 1 : 0)),
    resets: sum((client) => (client.isReset ? 1 : 0)),
    closed: sum((client) => (client.isClosed ? 1 : 0)),
    mismatches: sum((client) => client.mismatches),
    sent: sum((client) => client.sent),
    received: sum((client) => client.received),
    longestSilenceMilliseconds: Math.round(
      clients.reduce((longest, client) => Math.max(longest, client.longestSilence), 0),
    ),
    errors: [...new Set(clients.flatMap((client) => client.error ?? []))],
  });
  for (const client of clients) client.end();
  process.exit(0);
}

open();
const pulse =
  interval > 0
    ? setInterval(() => {
        for (const client of clients) client.sendNext();
      }, interval)
    : undefined;
onStop(() => {
  clearInterval(pulse);
  for (const client of clients) client.sendNext();
  const deadline = nowMilliseconds() + settle;
  const look = setInterval(() => {
    if (clients.some((client) => client.isWaiting) && nowMilliseconds() < deadline) return;
    clearInterval(look);
    conclude();
  }, 20);
});
