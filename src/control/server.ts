/**
 * The daemon's side of the control socket. Every client has a deadline for its request and for
 * reading its answer, a bounded request, and at most one request at a time; clients beyond the
 * limit are turned away. So no client can hold the daemon up or fill its memory. Streams last as
 * long as their clients like: they have a number of their own, so that a place is left for who asks
 * something.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { BoundaryError, errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { clearSocketPath } from '../base/socketPath.js';
import { seconds, type Microseconds, type Timers } from '../base/time.js';
import { LineReader } from './lineReader.js';
import {
  encodeLine,
  longestAnswerBytes,
  longestRequestBytes,
  parseRequest,
  refusal,
  type ControlRequest,
  type ControlResult,
} from './protocol.js';

/** Sends one more event of a stream; false when the client is gone or reads too slowly. */
export type EventSink = (event: unknown) => boolean;

/**
 * What the daemon does with a request. A stream keeps the connection until `onEnd` is called back.
 */
export interface ControlHandler {
  answer(request: ControlRequest): Promise<ControlResult>;
  /** For the verb `events`: returns the function that ends the subscription. */
  subscribe(sink: EventSink): () => void;
}

export interface ControlServerOptions {
  readonly path: string;
  readonly handler: ControlHandler;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly mode?: number;
  /** Clients at a time that ask, or have not said yet what they want; default 64. */
  readonly clientLimit?: number;
  /** Clients at a time that follow events; default 32. */
  readonly streamLimit?: number;
  /** For sending the whole request, and for reading the whole answer. */
  readonly clientDeadline?: Microseconds;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #streams = new Set<Socket>();

  /** Use `ControlServer.listen`. */
  private constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /**
   * Takes the path, removing a socket file that nobody serves any more. Throws BoundaryError:
   * 'control-in-use' when another daemon answers there, 'control-listen', and those of
   * clearSocketPath.
   */
  static async listen(options: ControlServerOptions): Promise<ControlServer> {
    if (await isServed(options.path)) {
      throw new BoundaryError(
        'control-in-use',
        `another keepstate answers at ${options.path}: stop it, or give --control another path`,
      );
    }
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o755 });
    clearSocketPath(options.path);
    const server = new ControlServer(options);
    await server.#listen();
    return server;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Ends each client and removes the socket file. */
  close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #listen(): Promise<void> {
    const { path, mode } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(
          new BoundaryError(
            'control-listen',
            `cannot listen at ${path}: ${cause.message}`,
            {},
            cause,
          ),
        );
      });
      // The file is born without rights for others: no window between listen and chmod.
      const previous = process.umask(0o177);
      this.#server.listen({ path }, () => {
        chmodSync(path, mode ?? 0o600);
        resolve();
      });
      process.umask(previous);
    });
  }

  #accept(socket: Socket): void {
    const { timers, clientLimit, clientDeadline } = this.#options;
    const deadline = clientDeadline ?? seconds(10);
    socket.on('error', () => socket.destroy());
    if (this.#clients.size - this.#streams.size >= (clientLimit ?? 64)) {
      socket.end(encodeLine(0, refusal('busy', 'too many clients', 'try again in a moment')));
      timers.after(deadline, () => socket.destroy());
      return;
    }
    this.#clients.add(socket);
    const reader = new LineReader(longestRequestBytes);
    const requestDeadline = timers.after(deadline, () => socket.destroy());
    const onData = (chunk: Buffer): void => {
      const lines = reader.push(chunk);
      if (lines === 'overflow') {
        this.#finish(socket, encodeLine(0, refusal('too-long', 'the request is too long')));
        return;
      }
      const [line] = lines;
      if (line === undefined) return;
      // One request per connection: what follows it is not read.
      socket.off('data', onData);
      socket.resume();
      requestDeadline.cancel();
      void this.#serve(socket, line);
    };
    socket.on('data', onData);
    socket.on('close', () => {
      requestDeadline.cancel();
      this.#clients.delete(socket);
      this.#streams.delete(socket);
    });
  }

  async #serve(socket: Socket, line: string): Promise<void> {
    const parsed = parseRequest(line);
    if (parsed.kind === 'bad') {
      this.#finish(socket, encodeLine(parsed.id, parsed.refusal));
      return;
    }
    if (parsed.request.verb === 'events') {
      this.#stream(socket, parsed.id);
      return;
    }
    let result: ControlResult;
    try {
      result = await this.#options.handler.answer(parsed.request);
    } catch (cause) {
      const message = errorText(cause);
      this.#options.logger.log('error', 'a control request failed', {
        verb: parsed.request.verb,
        reason: message,
      });
      result = refusal('failed', message);
    }
    this.#finish(socket, encodeLine(parsed.id, result));
  }

  #stream(socket: Socket, id: number): void {
    if (this.#streams.size >= (this.#options.streamLimit ?? 32)) {
      const remedy = 'end one of them ("keepstate events" that still run), or ask for the history';
      const text = encodeLine(id, refusal('busy', 'too many clients follow events', remedy));
      this.#finish(socket, text);
      return;
    }
    this.#streams.add(socket);
    const end = this.#options.handler.subscribe((event) => {
      if (socket.destroyed || socket.writableLength > longestAnswerBytes / 16) {
        socket.destroy();
        return false;
      }
      socket.write(encodeLine(id, { event }));
      return true;
    });
    socket.on('close', end);
    // A stream's client says nothing more; its end of file ends the stream.
    socket.on('end', () => socket.destroy());
    socket.write(encodeLine(id, { event: { kind: 'subscribed' } }));
  }

  #finish(socket: Socket, text: string): void {
    const { timers, clientDeadline } = this.#options;
    const deadline = timers.after(clientDeadline ?? seconds(10), () => socket.destroy());
    socket.on('close', () => deadline.cancel());
    socket.end(text);
  }
}

/** None; left by a crash, or no socket. EAGAIN in contrast: alive with a full backlog. */
const notServed = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ENOTSOCK', 'EINVAL', 'ENAMETOOLONG'];

/**
 * Whether somebody accepts connections at the path. Throws BoundaryError('control-listen') where
 * nobody can tell.
 */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect({ path });
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EAGAIN') resolve(true);
      else if (notServed.includes(error.code ?? '')) resolve(false);
      else {
        // Too few descriptors, say: the path must not be taken from a daemon that may serve it.
        const text = `cannot tell whether a keepstate answers at ${path}: ${error.message}`;
        reject(new BoundaryError('control-listen', text, {}, error));
      }
    });
  });
}
