/**
 * The daemon's side of the control socket. Every client has a deadline for its request and for
 * reading its answer, a bounded request, and at most one request at a time; clients beyond the
 * limit are turned away. So no client can hold the daemon up or fill its memory. Streams last as
 * long as their clients like: they have a number of their own, so that a place is left for who asks
 * something.
 */
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { BoundaryError, errorText } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { clearSocketPath } from '../base/socketPath.js';
import { seconds, type Microseconds, type Timers } from '../base/time.js';
import { LineReader } from './lineReader.js';
import { Places } from './places.js';
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
  /** The group that may use the socket too; absent: its owner alone. */
  readonly group?: number;
  /** Clients at a time that ask, or have not said yet what they want; default 64. */
  readonly clientLimit?: number;
  /** Clients at a time that follow events; default 32. */
  readonly streamLimit?: number;
  /** Of these, how many one user may have of either kind; absent: all. */
  readonly userLimit?: number;
  /** Who has opened the connection; undefined where it is not known. */
  readonly userOf?: (socket: Socket) => number | undefined;
  /** For sending the whole request, and for reading the whole answer. */
  readonly clientDeadline?: Microseconds;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  /** Of those that ask, and of those that follow events. */
  readonly #asking: Places<Socket>;
  readonly #streams: Places<Socket>;

  /** Use `ControlServer.listen`. */
  private constructor(options: ControlServerOptions) {
    this.#options = options;
    const { clientLimit = 64, streamLimit = 32, userLimit } = options;
    const each = userLimit === undefined ? {} : { each: userLimit };
    this.#asking = new Places({ all: clientLimit, ...each });
    this.#streams = new Places({ all: streamLimit, ...each });
    this.#server = createServer((socket) => this.#accept(socket));
    // Whoever is told that there is no place needs one for that moment.
    this.#server.maxConnections = 2 * clientLimit + streamLimit;
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
    const { path, group } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        const text = `cannot listen at ${path}: ${cause.message}`;
        reject(new BoundaryError('control-listen', text, {}, cause));
      };
      this.#server.once('error', fail);
      // The file is born without rights for others: no window between listen and chmod.
      const previous = process.umask(0o177);
      inGroup(group, () => {
        this.#server.listen({ path }, () => {
          try {
            if (group !== undefined) giveToGroup(path, group);
            chmodSync(path, group === undefined ? 0o600 : 0o660);
            resolve();
          } catch (error) {
            this.#server.close();
            fail(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
      process.umask(previous);
    });
  }

  #accept(socket: Socket): void {
    const { timers, clientDeadline, userOf } = this.#options;
    const deadline = clientDeadline ?? seconds(10);
    socket.on('error', () => socket.destroy());
    const user = userOf?.(socket);
    if (!this.#asking.take(socket, user)) {
      // Not kept until it has read that: many of them would be the places of others.
      const text = encodeLine(0, refusal('busy', 'too many clients', 'try again in a moment'));
      socket.end(text, () => socket.destroy());
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
      void this.#serve(socket, line, user);
    };
    socket.on('data', onData);
    socket.on('close', () => {
      requestDeadline.cancel();
      this.#clients.delete(socket);
      this.#asking.release(socket);
      this.#streams.release(socket);
    });
  }

  async #serve(socket: Socket, line: string, user: number | undefined): Promise<void> {
    const parsed = parseRequest(line);
    if (parsed.kind === 'bad') {
      this.#finish(socket, encodeLine(parsed.id, parsed.refusal));
      return;
    }
    if (parsed.request.verb === 'events') {
      this.#stream(socket, parsed.id, user);
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

  #stream(socket: Socket, id: number, user: number | undefined): void {
    if (!this.#streams.take(socket, user)) {
      const remedy = 'end one of them ("keepstate events" that still run), or ask for the history';
      const text = encodeLine(id, refusal('busy', 'too many clients follow events', remedy));
      this.#finish(socket, text);
      return;
    }
    this.#asking.release(socket);
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

/**
 * What `work` makes belongs to the group from its beginning: chown(2) needs a right that the daemon
 * does without. Where this is not allowed, giveToGroup has the last word.
 */
function inGroup(group: number | undefined, work: () => void): void {
  const before = process.getegid?.();
  if (group === undefined || before === undefined) {
    work();
    return;
  }
  try {
    process.setegid?.(group);
  } catch {
    // EPERM: not root. A member of the group may give it the file afterwards.
  }
  try {
    work();
  } finally {
    if (process.getegid?.() !== before) process.setegid?.(before);
  }
}

/** Throws where the file is another group's and cannot be given to this one. */
function giveToGroup(path: string, group: number): void {
  if (statSync(path).gid === group) return;
  try {
    chownSync(path, -1, group);
  } catch (error) {
    const text = `${errorText(error)}: the user of the daemon is no member of the group`;
    throw new Error(text, { cause: error });
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
